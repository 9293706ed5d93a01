// The int8 depthwise convolution's micro-kernel: R outputs that share quads x CB vectors of positions of a panel, from rows of quads.
#pragma once

#include "kernels/int8/quad_depthwise_store.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Where a tile stores its outputs as bytes.
struct TileBytes {
  std::int8_t* to;                ///< or null
  std::int64_t row, pixel, step;  ///< from output to output of a group, from vector to vector
  int bytes;                      ///< of a vector
  std::int64_t columns;           ///< of y from the first tile's first on
};

/// Whether tiles next to each other are one call, which is a tenth of the time of one of 16 registers: AVX2 56x56x128 15 % faster.
constexpr bool kTilesTogether = kRegisters < 32;

/// What tiles together read of a window: copies, as bytes that are stored could be anything's.
struct WindowOperands {
  std::int8_t* const* rows;
  const std::int64_t* taps;
  std::int64_t quads, steps;
  const std::int8_t *const *products, *const *products_end;
  const std::int8_t* weights;
  const std::int32_t* initial;
  const float* multiplier;
  int down;
};

template <bool First, class A, class B>
[[gnu::always_inline]] constexpr const auto& first_if(const A& a, const B& b) {
  if constexpr (First) {
    return a;
  } else {
    return b;
  }
}

/// Stores a vector of a tile, whole ones alone without dot products.
[[gnu::always_inline]] inline void store_bytes(std::int8_t* y, I8 v, int n) {
  if constexpr (kLean16) return store(y, v);
  store_up_to(y, v, n);
}

/// `count` tiles next to each other, one if they are no call together: sums of R outputs x CB vectors of positions of a panel, G vectors of
/// its channels at a time, for all types of result: rounded to y, or, where that is none, to sums[(output * CB + column) * kQuadChannels +
/// ...]. Weights lie as they are read: [group of vectors][row of quads][step][vector][output].
template <int R, int G, int CB>
[[gnu::flatten]] void window_sums(const QuadWindow& window, std::int64_t offset, std::int32_t* sums, const TileBytes& tile,
                                  std::int64_t count) {
  constexpr std::int64_t kBytes = Dot::kWeightVectors * I8::kLanes;
  constexpr int kAlong = R == 4 ? 2 : 1;
  const std::int64_t plane = window.plane, plane3 = opaque(3 * plane);
  const WindowOperands copies{window.rows,         window.taps,    window.quads,   window.steps,      window.products,
                              window.products_end, window.weights, window.initial, window.multiplier, window.down};
  const auto& t = first_if<kTilesTogether>(copies, window);
  TileBytes next;
  if constexpr (kTilesTogether) next = tile;
  const auto& y = first_if<kTilesTogether>(next, tile);
  do {
    const std::int8_t* weights = t.weights;
    for (std::int64_t g = 0; g < 4; g += G, offset += G * plane) {
      typename Dot::Sums acc[R][CB][G];
      unroll<0, G>([&](auto v) __attribute__((always_inline)) {
        const auto start = Dot::start(load(t.initial + (g + v) * kLanes));
        unroll<0, R>([&](auto r) __attribute__((always_inline)) {
          unroll<0, CB>([&](auto j) __attribute__((always_inline)) { acc[r][j][v] = start; });
        });
      });
      const auto multiply = [&](const std::int8_t* x, auto rows) __attribute__((always_inline)) {
        unroll<0, G>([&](auto v) __attribute__((always_inline)) {
          const std::int8_t* const at = v == 3 ? x + plane3 : x + v * plane;
          if constexpr (kLean16 && R < 4) {
            unroll<0, rows>([&](auto r) __attribute__((always_inline)) {
              const auto w = Dot::load_once(weights + (v * R + r) * kBytes);
              const std::int8_t* again = at;
              asm volatile("" : "+r"(again));  // not as the same load
              unroll<0, CB>([&](auto j)
                                __attribute__((always_inline)) { acc[r][j][v] = Dot::add(acc[r][j][v], load(again + j * I8::kLanes), w); });
            });
            return;
          }
          // Each loaded once: with two loads a product, 5x5 took a third longer.
          I8 from[CB];
          unroll<0, CB>([&](auto j) __attribute__((always_inline)) { from[j] = in_register(load(at + j * I8::kLanes)); });
          unroll<0, R>([&](auto r) __attribute__((always_inline)) {
            const auto w = Dot::load_once(weights + (v * R + r) * kBytes);
            unroll<0, CB>([&](auto j) __attribute__((always_inline)) { acc[r][j][v] = Dot::add(acc[r][j][v], from[j], w); });
          });
        });
        weights = opaque(weights + G * R * kBytes);
      };
      if constexpr (kLean16) {
        const auto multiply_all = [&](auto rows) __attribute__((always_inline)) {
          for (const std::int8_t* const* at = t.products; at < t.products_end; ++at) multiply(*at + offset, rows);
        };
        // An odd last row by itself: 7x7x960 5x5 7 %.
        if (R == 2 && t.down == 1) {
          multiply_all(Index<1>{});
        } else {
          multiply_all(Index<R>{});
        }
      } else {
        for (std::int64_t q = 0; q < t.quads; ++q) {
          const std::int8_t* const row = t.rows[q] + offset;
          for (std::int64_t step = 0; step < t.steps; ++step) multiply(row + t.taps[step], Index<R>{});
        }
      }
      if constexpr (kTilesRound) {
        if (y.to != nullptr) {
          const auto& panel = *static_cast<const PanelStore<std::int8_t, 4, Order::packed>*>(window.panel);
          // Half of a panel's channels wait as int16: as sums they took four stores and loads an output.
          std::int16_t* half = reinterpret_cast<std::int16_t*>(sums);
          unroll<0, R>([&](auto r) __attribute__((always_inline)) {
            if (r / kAlong >= t.down) return;
            std::int8_t* at = y.to + r / kAlong * y.row + r % kAlong * y.pixel;
            unroll<0, CB>([&](auto j) __attribute__((always_inline)) {
              if (kAlong > 1 && j * kAlong + r % kAlong >= y.columns) return;
              const auto pair = [&](auto v) __attribute__((always_inline)) {
                const auto real = [&](auto i) __attribute__((always_inline)) {
                  return mul(to_float(Dot::finish(acc[r][j][i])), load(t.multiplier + (g + i) * kLanes));
                };
                return panel.lean_half(real(v), real(Index<v + 1>{}), g + v);
              };
              const I16 first = pair(Index<0>{});
              if constexpr (G == 4) {
                store_bytes(at, panel.lean(first, pair(Index<2>{})), y.bytes);
              } else if (g == 0) {
                store(half + (r * CB + j) * 2 * kLanes, first);
              } else {
                store_bytes(at, panel.lean(load(half + (r * CB + j) * 2 * kLanes), first), y.bytes);
              }
              at += y.step;
            });
          });
          continue;
        }
      }
      unroll<0, R>([&](auto r) __attribute__((always_inline)) {
        unroll<0, CB>([&](auto j) __attribute__((always_inline)) {
          unroll<0, G>([&](auto v) __attribute__((always_inline)) {
            store(sums + (r * CB + j) * kQuadChannels + (g + v) * kLanes, Dot::finish(acc[r][j][v]));
          });
        });
      });
    }
    if constexpr (kTilesTogether) {
      offset += CB * I8::kLanes - 4 * plane;
      next.to += CB * y.step;
      next.columns -= CB * kAlong;
    }
  } while (kTilesTogether && --count > 0);
}

/// The same of SharedWeights, a vector of sums at a time: of fewer instructions, of which Zen 3 takes five a cycle, than two vectors (97
/// instead of 112 for 32 outputs of 3x3). Linear: quads follow each other, vectors of a tile are t.position apart.
template <int CB, bool Linear = false>
[[gnu::flatten]] void shared_sums(const QuadWindow& t, std::int64_t offset, std::int32_t* sums, const TileBytes& tile, std::int64_t count) {
  const auto& panel = *static_cast<const PanelStore<std::int8_t, 4, Order::packed>*>(t.panel);
  const std::int8_t *const *const products = t.products, *const *const products_end = t.products_end;
  const std::int64_t plane = t.plane, y_row = tile.row, y_step = tile.step;
  const std::int64_t position = Linear ? t.position : I8::kLanes, position3 = Linear ? opaque(3 * position) : 3 * position;
  offset += 3 * plane;
  const std::int64_t alone = t.down > 1 ? 0 : 1;  // groups at the end that are one row
  std::int8_t* y = tile.to;
  const std::int64_t x_group = t.group_bytes - count * CB * position, y_group = 2 * y_row - count * CB * y_step, row_tiles = count;
  std::int64_t groups = t.groups;
  const auto each = [](auto f) __attribute__((always_inline)) {
    unroll<0, 2>([&](auto r) __attribute__((always_inline)) { unroll<0, CB>([&](auto j) __attribute__((always_inline)) { f(r, j); }); });
  };
  do {
#pragma GCC unroll 1
    for (std::int64_t v = 3; v >= 0; --v, offset -= plane) {
      I32 acc[2][CB];
      const I32 next = load(t.initial + v * kLanes), first = load(reinterpret_cast<const std::int32_t*>(t.weights) + v * kLanes);
      unroll<0, CB>([&](auto j) __attribute__((always_inline)) {
        acc[0][j] = first;
        acc[1][j] = next;
      });
      const std::int8_t* weights = t.weights + SharedWeights::kInitial + v * SharedWeights::kStep;
      for (const std::int8_t* const* at = products; at < products_end; ++at, weights += 4 * SharedWeights::kStep) {
        const std::int8_t* const x = *at + offset;
        const auto w = SharedWeights::at(weights).once();
        unroll<0, CB>([&](auto j)
                          __attribute__((always_inline)) { w.add(acc[0][j], acc[1][j], load(x + (j == 3 ? position3 : j * position))); });
      }
      if (!Linear && y == nullptr) {
        each([&](auto r, auto j) __attribute__((always_inline)) { store(sums + (r * CB + j) * kQuadChannels + v * kLanes, acc[r][j]); });
        continue;
      }
      // Halves of what is packed wait in memory, the second ones, so that operands of packing are read from there.
      const F32 m = load(t.multiplier + v * kLanes);
      each([&](auto r, auto j) __attribute__((always_inline)) { acc[r][j] = to_int32(mul(to_float(acc[r][j]), m)); });
      std::int32_t* const pair = opaque(sums);
      if (v % 2 != 0) {
        each([&](auto r, auto j) __attribute__((always_inline)) { store(pair + (r * CB + j) * kLanes, acc[r][j]); });
        continue;
      }
      I16 packed[2][CB];
      const I16 zero = load(panel.bounds.zero + v * kLanes);
      each([&](auto r, auto j) __attribute__((always_inline)) {
        packed[r][j] = add_saturated(lane_pack(acc[r][j], load(pair + (r * CB + j) * kLanes)), zero);
      });
      auto* const half = reinterpret_cast<std::int16_t*>(pair + 2 * CB * kLanes);
      if (v != 0) {
        each([&](auto r, auto j) __attribute__((always_inline)) { store(half + (r * CB + j) * 2 * kLanes, packed[r][j]); });
        continue;
      }
      I8 bytes[2][CB];
      each([&](auto r, auto j)
               __attribute__((always_inline)) { bytes[r][j] = lane_pack(packed[r][j], load(half + (r * CB + j) * 2 * kLanes)); });
      if (panel.bounded) {
        const I8 most = load(panel.bounds.greatest), least = load(panel.bounds.least);
        each([&](auto r, auto j) __attribute__((always_inline)) { bytes[r][j] = maximum(minimum(bytes[r][j], most), least); });
      }
      if constexpr (Linear) each([&](auto r, auto j) __attribute__((always_inline)) { bytes[r][j] = lane_join<4>(bytes[r][j]); });
      const I8 flips = reinterpret<std::int8_t>(broadcast(panel.flips));
      each([&](auto r, auto j) __attribute__((always_inline)) {
        if (r == 0 || groups > alone) store(y + r * y_row + j * y_step, bit_xor(bytes[r][j], flips));
      });
    }
    offset += CB * position + 4 * plane;
    y += CB * y_step;
    if (--count == 0) {
      count = row_tiles;
      offset += x_group;
      y += y_group;
      --groups;
    }
  } while (groups > 0);
}

/// Vectors of positions of a tile of so many outputs, `vectors` of a panel at a time: what the registers hold, but no more than 4.
constexpr int max_window_columns(int outputs, int vectors) {
  if (vectors == 0) return 4;  // SharedWeights
  if (kLean16 && outputs < 4) return 12 / (outputs * vectors) < 4 ? 12 / (outputs * vectors) : 4;
  const int free = kRegisters - 1 - Dot::kExtraRegisters - (outputs == 1 ? 1 : 3);
  const int columns = free / (outputs * vectors * Dot::kSumRegisters);
  return columns < 1 ? 1 : (columns < 4 ? columns : 4);
}

using WindowSums = void (*)(const QuadWindow& t, std::int64_t offset, std::int32_t* sums, const TileBytes& y, std::int64_t count);
template <int R, int G, int CB>
constexpr WindowSums window_sums_of() {
  if constexpr (G == 0) {
    return shared_sums<CB>;
  } else if constexpr (CB <= max_window_columns(R, G)) {
    return window_sums<R, G, CB>;
  } else {
    return nullptr;
  }
}
/// By columns.
template <int R, int G>
constexpr WindowSums kWindowSums[] = {window_sums_of<R, G, 1>(), window_sums_of<R, G, 2>(), window_sums_of<R, G, 3>(),
                                      window_sums_of<R, G, 4>()};

/// Vectors of each output of tiles whose pixels lie apart in y, which are one call.
template <int R, int G>
constexpr std::int64_t kApart = kLean16 ? 32 : max_window_columns(R, G);

/// `count` tiles of R outputs x `width` vectors next to each other.
template <int R, int G>
inline void quad_windows(const QuadWindow& t, std::int64_t width, std::int64_t column, std::int64_t count) {
  alignas(64) std::int32_t sums[R * max_window_columns(R, G) * kQuadChannels];
  alignas(64) std::int8_t apart[(R * kApart<R, G> + 1) * kQuadChannels];  // whole vectors are read of the last pixel
  const WindowSums multiply = kWindowSums<R, G>[width - 1];
  const bool rounded = kTilesRound && t.lean;
  TileBytes y{};
  for (; count > 0; --count, column += width) {
    const bool together = column + width <= t.whole;
    std::int64_t now = 1;
    if (rounded && together) {
      auto* const to = reinterpret_cast<std::int8_t*>(t.y) + column * t.step;
      y = {to, t.y_row, t.y_pixel, t.step, t.channels * t.pixels, t.columns - column * t.along};
      if constexpr (kTilesTogether) {
        for (now = count; column + now * width > t.whole;) --now;
      }
    } else if (rounded) {
      if constexpr (kLean16) now = count * width < kApart<R, G> ? count : kApart<R, G> / width;
      const std::int64_t step = now * width * kQuadChannels;
      y = {apart, t.along * step, step, kQuadChannels, kQuadChannels, now * width * t.along};
    }
    multiply(t, column * I8::kLanes, sums, y, now);
    if (!rounded) {
      t.store(t, sums, column, width);
    } else if (!together) {
      store_apart(t, apart, column, now * width);
    }
    if constexpr (kTilesTogether) {
      count -= now - 1;
      column += (now - 1) * width;
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
