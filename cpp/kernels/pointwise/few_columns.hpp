// Products of a few columns: lanes are rows, brought there by transposing squares of inputs in registers. Lanes that are columns would
// mostly be of none.
#pragma once

#include "kernels/pointwise/tile.hpp"
#include "simd/square.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// A square takes 24 shuffles on AVX2 and saves 64 multiply-adds: a half to a quarter of the time with 1 column, 0.6 to 0.85 with 4 (Zen 3,
/// 2026-11-29). Not timed where vectors are longer.
constexpr int kFewColumns = kRegisters == 16 && kLanes == 8 ? 4 : 0;

/// All rows of a panel of N columns at most, `columns` of which exist; squares of kSquares times kLanes rows, whose sums are as many
/// chains.
template <int N, int kSquares>
[[gnu::flatten, gnu::noinline]] inline void few_columns(const GemmTiles& t, std::int64_t rows, std::int64_t columns) {
  const F32 lo = broadcast(t.lo), hi = broadcast(t.hi);
  const std::int64_t s1 = t.a_row, s2 = 2 * s1, s3 = 3 * s1, length = t.segments->length;
  for (std::int64_t i = 0; i < rows; i += kSquares * kLanes) {
    F32 acc[kSquares][N];
    const float* a[kSquares];
    std::int64_t row[kSquares];
    unroll<0, kSquares>([&](auto s) {
      const std::int64_t first = i + s * kLanes;
      row[s] = first < rows - kLanes ? first : rows - kLanes;  // the last ones again: the same bits
      a[s] = t.a + (row[s] * s1 + t.segments->a);
      unroll<0, N>([&](auto n) { acc[s][n] = broadcast(t.bias[n]); });
    });
    const float* b = t.b + t.segments->k * kLanes;
    for (std::int64_t k = 0; k < length; k += kLanes, b += kLanes * kLanes) {
      unroll<0, kSquares>([&](auto s) __attribute__((always_inline)) {
        const float *const p = a[s] + k, *const q = opaque(p + 4 * s1);
        F32 v[8] = {load(p), load(p + s1), load(p + s2), load(p + s3), load(q), load(q + s1), load(q + s2), load(q + s3)};
        transpose_lanes(v);
        unroll<0, 8>([&](auto j) __attribute__((always_inline)) {
          unroll<0, N>([&](auto n) __attribute__((always_inline)) { acc[s][n] = fma(v[j], broadcast(b[j * kLanes + n]), acc[s][n]); });
        });
      });
    }
    unroll<0, kSquares>([&](auto s) {
      unroll<0, N>([&](auto n) {
        if (n >= columns) return;
        float* const y = t.y + (row[s] * t.y_row + n);
        const F32 v = clip(acc[s][n], lo, hi);
        if (t.y_row == 1) return store(y, v);
        float lanes[kLanes];
        store(lanes, v);
        for (int r = 0; r < kLanes; ++r) y[r * t.y_row] = lanes[r];
      });
    });
  }
}

/// The panel's rows in that way, if they can go it.
[[gnu::always_inline]] inline bool few_columns(const GemmTiles& t, std::int64_t rows, std::int64_t columns, int vectors) {
  if constexpr (kFewColumns > 0) {
    const bool squares = t.segment_count == 1 && t.segments->length % kLanes == 0;
    // A residual may be y, and the last rows are computed twice.
    if (columns > kFewColumns || vectors != 1 || rows < kLanes || !squares || t.residual != nullptr) return false;
    (columns == 1 ? few_columns<1, 2> : columns == 2 ? few_columns<2, 2> : few_columns<4, 2>)(t, rows, columns);
    return true;
  }
  return false;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
