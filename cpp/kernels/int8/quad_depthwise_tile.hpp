// The int8 depthwise convolution's micro-kernel: R output rows x CB columns of a panel, from rows of quads.
#pragma once

#include "kernels/int8/quad_requantize.hpp"
#include "kernels/int8/quad_rows.hpp"
#include "kernels/row_addresses.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Tiles of one strip of a row group and a panel.
struct QuadWindow {
  const std::int8_t* x;                           ///< the first column of the first row of quads
  std::int64_t column_step, tap_step, quad_step;  ///< bytes from one output's column to the next, one tap's, one row of quads to the next
  std::int64_t quads, kw;
  const std::int8_t* weights;  ///< of the panel, as are the initial sums and multipliers
  const std::int32_t* initial;
  const float* multiplier;
  void* y;
  std::int64_t y_row, y_pixel;
  const std::int8_t* residual;
  const Int8Residual* residual_type;
  int rows;  ///< to store
  int channels;
  std::int64_t second;  ///< 0, or where each column is two pixels, from the first to the second in y; y_pixel is that of two
  std::int64_t pairs;   ///< columns whose second pixel exists
};

/// Vectors of sums in registers at a time.
constexpr int kWindowGroup = kRegisters >= 32 ? 4 : 2;
/// Bytes of a panel's weights.
constexpr std::int64_t window_weight_bytes(std::int64_t rows, std::int64_t quads, std::int64_t kw) {
  return 4 * rows * quads * kw * Dot::kWeightVectors * I8::kLanes;
}

/// Sums of R rows x CB columns, vectors [first, first + kWindowGroup), to sums[(row * CB + column) * kQuadChannels + ...]. Weights lie as
/// they are read: [group of vectors][row of quads][kx][vector][output row].
template <int R, int CB, int KW>
[[gnu::always_inline]] inline void multiply_window(const QuadWindow& t, const std::int8_t* x, const std::int8_t* weights,
                                                   const std::int32_t* initial, std::int32_t* sums) {
  constexpr int G = kWindowGroup;
  constexpr std::int64_t kBytes = Dot::kWeightVectors * I8::kLanes;
  typename Dot::Sums acc[R][CB][G];
  unroll<0, G>([&](auto v) {
    const auto start = Dot::start(load(initial + v * kLanes));
    unroll<0, R>([&](auto r) { unroll<0, CB>([&](auto j) { acc[r][j][v] = start; }); });
  });
  for (std::int64_t q = t.quads; q > 0; --q, x += t.quad_step) {
    RowAddresses<std::int8_t> columns(x, t.column_step);
    const auto tap = [&]() __attribute__((always_inline)) {
      // Each loaded once: with two loads a product, 5x5 took a third longer.
      unroll<0, G>([&](auto v) {
        I8 from[CB];
        unroll<0, CB>([&](auto j) { from[j] = in_register(load(columns.template at<j>() + v * I8::kLanes)); });
        unroll<0, R>([&](auto r) {
          const auto w = Dot::load_once(weights + (v * R + r) * kBytes);
          unroll<0, CB>([&](auto j) { acc[r][j][v] = Dot::add(acc[r][j][v], from[j], w); });
        });
      });
      columns.advance(t.tap_step);
      weights = opaque(weights + G * R * kBytes);
    };
    if constexpr (KW > 0) {
      unroll<0, KW>([&](auto) { tap(); });
    } else {
      for (std::int64_t kx = t.kw; kx > 0; --kx) tap();
    }
  }
  unroll<0, R>([&](auto r) {
    unroll<0, CB>(
        [&](auto j) { unroll<0, G>([&](auto v) { store(sums + (r * CB + j) * kQuadChannels + v * kLanes, Dot::finish(acc[r][j][v])); }); });
  });
}

/// Sums of one tile, for all types of result.
template <int R, int CB, int KW>
[[gnu::flatten]] void window_sums(const QuadWindow& t, const std::int8_t* x, std::int32_t* sums) {
  const std::int64_t half = window_weight_bytes(R, t.quads, t.kw) * kWindowGroup / 4;
  unroll<0, 4 / kWindowGroup>([&](auto g) {
    constexpr int first = g * kWindowGroup;
    multiply_window<R, CB, KW>(t, x + first * I8::kLanes, t.weights + g * half, t.initial + first * kLanes, sums + first * kLanes);
  });
}

/// Columns of a tile of so many rows: what the registers hold, but no more than 6.
constexpr int max_window_columns(int rows) {
  const int free = kRegisters - 1 - Dot::kExtraRegisters - (rows == 1 ? 1 : 3);
  const int columns = free / (rows * kWindowGroup * Dot::kSumRegisters);
  return columns < 6 ? columns : 6;
}

using WindowSums = void (*)(const QuadWindow& t, const std::int8_t* x, std::int32_t* sums);
template <int R, int KW, int CB>
constexpr WindowSums window_sums_of() {
  if constexpr (CB <= max_window_columns(R)) return window_sums<R, CB, KW>;
  return nullptr;
}
/// By columns.
template <int R, int KW>
constexpr WindowSums kWindowSums[] = {window_sums_of<R, KW, 1>(), window_sums_of<R, KW, 2>(), window_sums_of<R, KW, 3>(),
                                      window_sums_of<R, KW, 4>(), window_sums_of<R, KW, 5>(), window_sums_of<R, KW, 6>()};

/// Stores a tile of `width` columns.
template <class Out>
[[gnu::flatten, gnu::noinline]] inline void store_window(const QuadWindow& t, const PanelStore<Out, 4, Order::packed>& panel,
                                                         const std::int32_t* sums, std::int64_t column, std::int64_t width) {
  for (int r = 0; r < t.rows; ++r) {
    const std::int32_t* from = sums + r * width * kQuadChannels;
    Out* y = static_cast<Out*>(t.y) + r * t.y_row + column * t.y_pixel;
    const std::int8_t* residual = t.residual == nullptr ? nullptr : t.residual + r * t.residual_type->row + column * t.residual_type->pixel;
    for (std::int64_t j = 0; j < width; ++j, from += kQuadChannels, y += t.y_pixel) {
      RealSums<4> real;
      unroll<0, 4>([&](auto v) { real.set(v, load(from + v * kLanes), t.multiplier); });
      if (residual != nullptr) {
        real.template add_residual<Order::packed>(residual, t.channels, *t.residual_type);
        residual += t.residual_type->pixel;
      }
      if constexpr (kHalves && sizeof(Out) == 1) {
        if (column + j < t.pairs) {
          store_halves(y, y + t.second, panel.stored(real), t.channels);
          continue;
        }
      }
      panel.store(y, t.channels, real);
    }
  }
}

/// `count` tiles of R rows x `width` columns next to each other.
template <class Out, int R>
inline void quad_windows(const QuadWindow& t, const PanelStore<Out, 4, Order::packed>& panel, std::int64_t width, std::int64_t column,
                         std::int64_t count) {
  alignas(64) std::int32_t sums[R * max_window_columns(R) * kQuadChannels];
  // Of filters 3 wide, the loop over their columns is unrolled.
  const WindowSums multiply = (t.kw == 3 ? kWindowSums<R, 3> : kWindowSums<R, 0>)[width - 1];
  for (; count > 0; --count, column += width) {
    multiply(t, t.x + column * t.column_step, sums);
    store_window(t, panel, sums, column, width);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
