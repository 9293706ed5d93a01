// The int8 matrix product's micro-kernel: MR pixels x NV vectors of columns, four k at a time. Sums are exact, so their order is free.
#pragma once

#include "kernels/int8/quad_gemm_operands.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Four bytes in each lane.
[[gnu::always_inline]] inline I8 broadcast_quad(const std::int8_t* p) {
  std::int32_t quad;
  __builtin_memcpy(&quad, p, sizeof quad);
  return reinterpret<std::int8_t>(broadcast(quad));
}

/// Sums of one tile that are independent of each other: a product takes as long as ten that follow each other at once, so where there are
/// fewer sums, every other k goes to others, as far as registers hold them. Not of short k alone, nor without an instruction for products,
/// where only an addition waits.
constexpr int chains_of(int sums) {
  const int wanted = sums <= 4 ? 4 / Dot::kSumRegisters : (sums <= 8 && Dot::kSumRegisters == 1 ? 2 : 1), most = (kRegisters - 2) / sums;
  return Dot::kWeightVectors == 2 || most < 1 ? 1 : wanted < most ? wanted : most;
}

/// Whether weights take two vectors to multiply by, and one as they are packed: tiles of few rows split them as they read them, which
/// halves what comes from memory, others once for all rows of a block.
constexpr bool kSplits = Dot::kWeightVectors == 2;

/// The mask of split weights, at p.
template <class D>
[[gnu::always_inline]] inline void reload_sign(typename D::Weights& w, const std::int8_t* p) {
  w.sign = load(p);
}

/// The exact sums of MR rows x G vectors over k quads, to sums[m * sums_row + j * kLanes]; from initial[m * initial_row + j * kLanes] on.
/// `Split`: weights are as the products need them.
template <int MR, int G, bool Split>
[[gnu::always_inline]] inline void multiply_quads(const std::int8_t* a, std::int64_t a_row, std::int64_t k, const std::int8_t* b,
                                                  std::uint8_t x_flip, const std::int32_t* initial, int initial_row, std::int32_t* sums,
                                                  int sums_row) {
  constexpr int kChains = chains_of(MR * G);
  constexpr std::int64_t kBytes = (Split ? Dot::kWeightVectors : 1) * I8::kLanes;
  // Masks are read where they are used, for each row, where registers do not hold all: GCC 12 kept a sum on the stack instead (AVX2 56x56
  // 24->144 192 us, 182 so), or weights (AVX-512).
  constexpr bool kReloads = Split && kSplits && (kSorts ? MR * G == 10 && G == 2 : MR * G >= 24);
  // Sums stay in their registers from step to step.
  constexpr bool kKeeps = kDotInstruction && (kChains > 1 || MR <= kPieceRows);
  [[maybe_unused]] const I8 flip = broadcast(static_cast<std::int8_t>(x_flip));
  typename Dot::Sums acc[kChains][MR][G];
#pragma GCC unroll 4
  for (int chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 14
    for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 4
      for (int j = 0; j < G; ++j) {
        acc[chain][m][j] = Dot::start(chain == 0 ? load(initial + m * initial_row + j * kLanes) : broadcast(std::int32_t{0}));
      }
    }
  }
  RowAddresses<const std::int8_t> rows(a, a_row);
  const auto step = [&](auto chains) __attribute__((always_inline)) {
    unroll<0, chains>([&](auto chain) {
      typename Dot::Weights w[G];
#pragma GCC unroll 4
      for (int j = 0; j < G; ++j) {
        const std::int8_t* const from = b + (chain * G + j) * kBytes;
        if constexpr (Split) {
          w[j] = kDotInstruction && kChains > 1 && MR > 1 ? Dot::load_once(from) : Dot::load(from);
        } else {
          w[j] = Dot::split(load(from), flip);
        }
      }
      unroll<0, MR>([&](auto m) {
        const I8 x = broadcast_quad(rows.template at<m>() + 4 * chain);
#pragma GCC unroll 4
        for (int j = 0; j < G; ++j) {
          if constexpr (kReloads) {
            if (j >= (G == 4 ? 0 : 1)) reload_sign<Dot>(w[j], (b = opaque(b)) + (2 * j + 1) * I8::kLanes);
          }
          acc[chain][m][j] = Dot::add(acc[chain][m][j], x, w[j]);
        }
      });
    });
    if constexpr (kKeeps) {
      unroll<0, chains>([&](auto chain) {
#pragma GCC unroll 14
        for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 4
          for (int j = 0; j < G; ++j) acc[chain][m][j] = in_place(acc[chain][m][j]);
        }
      });
    }
    rows.advance(4 * chains);
    b = opaque(b + chains * G * kBytes);
  };
  if constexpr (kChains > 1) {
    for (; k >= kChains; k -= kChains) step(Index<kChains>{});
  }
  for (; k > 0; --k) step(Index<1>{});
#pragma GCC unroll 14
  for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 4
    for (int j = 0; j < G; ++j) {
      I32 sum = Dot::finish(acc[0][m][j]);
#pragma GCC unroll 4
      for (int chain = 1; chain < kChains; ++chain) sum = add(sum, Dot::finish(acc[chain][m][j]));
      store(sums + m * sums_row + j * kLanes, sum);
    }
  }
}

/// The sums of one tile of MR rows x G vectors, to sums[m * sums_row + j * kLanes]; what is read of x begins at a. One function for
/// all types of y, and for panels of one group and of several.
template <int MR, int G, bool Split>
[[gnu::flatten]] void multiply_tile(const QuadTiles& t, const std::int8_t* a, const std::int8_t* b, const std::int32_t* initial,
                                    std::int32_t* sums, int sums_row) {
  if (MR > kPieceRows || kSorts || t.pieces == nullptr)  // long k are sorted
    return multiply_quads<MR, G, Split>(a, t.a_row, t.quads, b, t.x_flip, initial, 0, sums, sums_row);
  const Pieces& p = *t.pieces;
  for (std::int64_t k = 0; k < p.k; k += kPieceBytes) {
    const std::int64_t n = p.k - k < kPieceBytes ? p.k - k : kPieceBytes;
    for (int m = 0; m < MR; ++m) copy_row(a + m * p.a_row + k, n, p.flip, p.to + m * t.a_row);
    const std::int8_t* from = b + k / 4 * G * I8::kLanes;
    multiply_quads<MR, G, Split>(p.to, t.a_row, (n + 3) / 4, from, t.x_flip, k == 0 ? initial : sums, k == 0 ? 0 : sums_row, sums,
                                 sums_row);
  }
}

/// Rows of a tile NV vectors wide: what the registers hold, but no more than 14; or 4 where AMX multiplies all but small matrices.
constexpr int max_quad_rows(int vectors) {
  const int group = group_of(vectors);
  const int free = kRegisters - 1 - Dot::kExtraRegisters - (Dot::kWeightVectors == 1 ? group : 2);
  const int rows = free / (group * Dot::kSumRegisters);
  constexpr int kMost = kMatrixTiles ? 4 : 14;
  return rows < kMost ? rows : kMost;
}

/// Values within int32 of whole panels, without a residual: what all pixels share stays in registers, as bytes that are stored could be the
/// panel's own (32 values take 8 cycles, read for each 16; Zen 3).
[[gnu::always_inline]] inline void store_lean(const QuadTiles& t, const PanelStore<std::int8_t, 4>& panel, const std::int32_t* sums,
                                              std::int64_t rows, std::int8_t* y) {
  const I16 zeros[2] = {load(panel.bounds.zero), load(panel.bounds.zero + 2 * kLanes)};
  const I8 least = load(panel.bounds.least), greatest = load(panel.bounds.greatest), flip = broadcast(static_cast<std::int8_t>(panel.flip));
  F32 multipliers[4];
  unroll<0, 4>([&](auto j) { multipliers[j] = load(t.multiplier + j * kLanes); });
  const std::int64_t y_row = t.y_row;
  for (; rows > 0; --rows, sums += 4 * kLanes, y += y_row) {
    const auto half = [&](auto j) __attribute__((always_inline)) {
      const auto rounded = [&](auto i) __attribute__((always_inline)) {
        return to_int32(mul(to_float(load(sums + i * kLanes)), multipliers[i]));
      };
      return add_saturated(lane_pack(rounded(j), rounded(Index<j + 1>{})), zeros[j / 2]);
    };
    store(y, bit_xor(maximum(minimum(lane_pack(half(Index<0>{}), half(Index<2>{})), greatest), least), flip));
  }
}

/// Sums of pixels [row, row + rows) to their stored values.
template <class Out, int NV>
[[gnu::flatten, gnu::noinline]] inline void store_pixels(const QuadTiles& t, const std::int32_t* sums, std::int64_t row,
                                                         std::int64_t rows) {
  const auto& panel = *static_cast<const PanelStore<Out, NV>*>(t.store);
  Out* y = static_cast<Out*>(t.y) + row * t.y_row;
  const std::int8_t* residual = t.residual == nullptr ? nullptr : t.residual + row * t.residual_type->row;
  if constexpr (kSorts && NV == 4 && sizeof(Out) == 1) {
    if (residual == nullptr && panel.within && t.columns == NV * kLanes) return store_lean(t, panel, sums, rows, y);
  }
  if constexpr (NV < 4 && sizeof(Out) == 1 && 4 / NV <= kSixteens) {
    // Rounding fills vectors: 112x112 32->16 takes 85 us pixel by pixel.
    constexpr int kTogether = 4 / NV;
    for (; residual == nullptr && panel.alike && rows >= kTogether; rows -= kTogether, sums += 4 * kLanes, y += kTogether * t.y_row) {
      RealSums<4> real;
      unroll<0, 4>([&](auto j) { real.set(j, load(sums + j * kLanes), t.multiplier - (j / NV * NV) * kLanes); });
      panel.store_together(y, t.y_row, t.columns, real);
    }
  }
  if constexpr (NV == 1 && sizeof(Out) == 1 && kSixteens == 2) {
    // Where a pixel has eight bytes: 195 pixels of 48->8 took a third longer one by one.
    for (; residual == nullptr && panel.alike && t.columns == kLanes && rows >= 4; rows -= 4, sums += 4 * kLanes, y += 4 * t.y_row) {
      RealSums<4> real;
      unroll<0, 4>([&](auto j) { real.set(j, load(sums + j * kLanes), t.multiplier - j * kLanes); });
      store_eighths(y, t.y_row, lane_join<4>(panel.stored(real)));
    }
  }
  for (; rows > 0; --rows, sums += NV * kLanes, y += t.y_row) {
    RealSums<NV> real;
    unroll<0, NV>([&](auto j) { real.set(j, load(sums + j * kLanes), t.multiplier); });
    if (residual != nullptr) {
      real.template add_residual<kOrderOf<Out>>(residual, t.columns, *t.residual_type);
      residual += t.residual_type->row;
    }
    panel.store(y, t.columns, real);
  }
}

/// Of so few quads sums stay in registers until they are bytes: their way through L1 and its calls took a third of 112x112 16->16 (Xeon,
/// 2026-11-28).
constexpr std::int64_t kFewQuads = 8;
constexpr bool kRoundsFewAtOnce = Dot::kWeightVectors == 1 && kRegisters >= 32 && kSixteens == 4;

/// The first rows, as far as they fill twice four vectors of sums, of a panel without a residual. Returns how many.
template <int NV>
[[gnu::flatten, gnu::noinline]] inline std::int64_t multiply_few_quads(const QuadTiles& tiles, std::int8_t* y, std::int64_t rows) {
  constexpr int kTogether = 4 / NV, G = group_of(NV), kTimes = 2;  // weights are loaded once for both
  const QuadTiles t = tiles;                                       // bytes that are stored could be its own
  const PanelStore<std::int8_t, NV> panel = *static_cast<const PanelStore<std::int8_t, NV>*>(t.store);
  const std::int8_t* a = t.a;
  std::int64_t row = 0;
  for (; row + kTimes * kTogether <= rows; row += kTimes * kTogether, a += kTimes * kTogether * t.a_row) {
    I32 sums[kTimes][4];
    unroll<0, kTimes>([&](auto i) { unroll<0, 4>([&](auto j) { sums[i][j] = load(t.initial + j % NV * kLanes); }); });
    const std::int8_t *b = t.b, *x = a, *const end = a + 4 * t.quads;
    for (; x < end; x += 4, b += G * I8::kLanes) {
      Dot::Weights w[NV];
      unroll<0, NV>([&](auto j) { w[j] = Dot::load(b + (j / G * t.b_quads * G + j % G) * I8::kLanes); });
      unroll<0, kTimes * kTogether>([&](auto m) {
        const I8 quad = broadcast_quad(x + m * t.a_row);
        unroll<0, NV>([&](auto j) {
          sums[m / kTogether][m % kTogether * NV + j] = Dot::add(sums[m / kTogether][m % kTogether * NV + j], quad, w[j]);
        });
      });
      unroll<0, kTimes>([&](auto i) { unroll<0, 4>([&](auto j) { sums[i][j] = in_place(sums[i][j]); }); });
    }
    unroll<0, kTimes>([&](auto i) {
      RealSums<4> real;
      unroll<0, 4>([&](auto j) { real.set(j, sums[i][j], t.multiplier - (j / NV * NV) * kLanes); });
      if constexpr (NV == 4) {
        panel.template store<true>(y, t.columns, real);
      } else {
        panel.template store_together<true>(y, t.y_row, t.columns, real);
      }
      y += kTogether * t.y_row;
    });
  }
  return row;
}

using MultiplyTile = void (*)(const QuadTiles& t, const std::int8_t* a, const std::int8_t* b, const std::int32_t* initial,
                              std::int32_t* sums, int sums_row);
/// Whether tall tiles of such panels take weights that are split beforehand: to split eight columns anew each time is one operation in
/// sixteen.
constexpr bool splits(int vectors) { return kSplits && (kSorts || group_of(vectors) > 1); }
constexpr bool kSplitBefore = !kSplits || kSorts;

/// Of so few rows weights that are not sorted are split as they are multiplied: to store them takes longer (one row of 120->480 4.5 us,
/// 2.0 so, three 4.0 and 3.0).
constexpr int kShortRows = 6, kLeastSplit = 3;
template <int G>
constexpr MultiplyTile kMultiplyShort[] = {multiply_tile<1, G, false>, multiply_tile<2, G, false>,
                                           multiply_tile<3, G, false>, multiply_tile<4, G, false>,
                                           multiply_tile<5, G, false>, multiply_tile<(G == 1 ? 6 : 5), G, false>};

template <int G, int MR>
constexpr MultiplyTile multiply_of() {
  if constexpr (MR <= max_quad_rows(G) && !(kSorts && MR < kLeastSplit)) return multiply_tile<MR, G, kSplitBefore>;
  return nullptr;
}
/// By height.
template <int G>
constexpr MultiplyTile kMultiply[] = {multiply_of<G, 1>(),  multiply_of<G, 2>(),  multiply_of<G, 3>(),  multiply_of<G, 4>(),
                                      multiply_of<G, 5>(),  multiply_of<G, 6>(),  multiply_of<G, 7>(),  multiply_of<G, 8>(),
                                      multiply_of<G, 9>(),  multiply_of<G, 10>(), multiply_of<G, 11>(), multiply_of<G, 12>(),
                                      multiply_of<G, 13>(), multiply_of<G, 14>()};

/// Of tall tiles.
template <int G>
constexpr MultiplyTile kMultiplySplit[] = {multiply_tile<max_quad_rows(G) - 1, G, true>, multiply_tile<max_quad_rows(G), G, true>};

/// So many tiles pay for it: a weight is loaded, split and stored once, which is three of the tiles' own.
constexpr std::int64_t kManyTiles = 3;
template <class D>
[[gnu::noinline]] void split_weights(const std::int8_t* weights, std::int64_t vectors, std::uint8_t x_flip, std::int8_t* to) {
  const I8 flip = broadcast(static_cast<std::int8_t>(x_flip));
  for (std::int64_t i = 0; i < vectors; ++i) {
    const auto w = D::split(load(weights + i * I8::kLanes), flip);
    store(to + 2 * i * I8::kLanes, w.magnitude);
    store(to + (2 * i + 1) * I8::kLanes, w.sign);
  }
}

/// Tiles whose sums are rounded by one call: of narrow panels so many that pixels fill vectors, of whole ones eight instead of one
/// (Zen 3: 2304 rows of 9->16 16.3 -> 14.5 us, 3136 of 24->144 188 -> 177, 12544 of 16->96 388 -> 358).
constexpr int kStoredTiles = kSorts ? 8 : 1;

/// Tiles of `height` rows.
template <class Out, int NV>
inline void quad_tiles(const QuadTiles& t, std::int64_t height) {
  constexpr int G = group_of(NV), kTall = max_quad_rows(G) - 1, kStored = kStoredTiles;
  alignas(64) std::int32_t sums[kStored * max_quad_rows(NV) * NV * kLanes];
  MultiplyTile multiply = kMultiply<G>[height - 1];
  const std::int8_t* weights = t.b;
  std::int64_t group_bytes = G * t.b_quads * I8::kLanes;
  if constexpr (splits(NV)) {
    if (t.split != nullptr && (kSorts || height >= kTall)) {
      if constexpr (!kSorts) multiply = kMultiplySplit<G>[height - kTall];
      weights = t.split;
      group_bytes *= Dot::kWeightVectors;
    } else if constexpr (kSorts) {
      multiply = kMultiplyShort<G>[height - 1];
    }
  }
  const std::int8_t* a = t.a;
  const std::int64_t step = height * (t.pieces == nullptr ? t.a_row : t.pieces->a_row);
  for (std::int64_t i = 0, now; i < t.count; i += now) {
    now = t.count - i < kStored ? t.count - i : kStored;
    std::int32_t* to = sums;
    for (std::int64_t n = 0; n < now; ++n, a += step, to += height * NV * kLanes) {
      for (int g = 0; g < NV / G; ++g) {
        multiply(t, a, weights + g * group_bytes, t.initial + g * G * kLanes, to + g * G * kLanes, NV * kLanes);
      }
    }
    store_pixels<Out, NV>(t, sums, i * height, now * height);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
