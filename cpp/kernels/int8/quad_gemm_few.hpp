// Products of a few rows by weights of sorted k: the vectors of a panel in one loop, each a stream of its own.
#pragma once

#include "kernels/int8/quad_gemm_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr int kFewRows = 3;
constexpr std::int64_t kFewRow = kPieceBytes + 64;  ///< from one row of x to the next, an odd number of lines

/// Rows as unsigned bytes, and behind them as signed ones.
struct FewTile {
  const std::int8_t* x;
  const std::int8_t* weights;  ///< of the panel's first vector, as is its order
  const std::uint16_t* order;
  std::int64_t quads, vector_bytes, vector_order;  ///< quads to multiply; distances to the next vector's
  const std::int32_t* initial;
  std::int64_t initial_row;
  std::int32_t* sums;
};

/// As many quads of each vector, of one kind or of two that share its operations.
template <int R, int NV, bool Help, class D>
[[gnu::always_inline]] inline void multiply_few_of_kind(I32 (&acc)[R][NV], const FewTile& t, const std::int8_t* x, std::int64_t n,
                                                        const std::int8_t*& weights, const std::uint16_t*& order) {
  const std::int64_t bytes = t.vector_bytes, bytes3 = opaque(3 * bytes), orders = t.vector_order, orders3 = opaque(3 * orders);
  for (const std::uint16_t* const end = order + n; order < end; ++order, weights = opaque(weights + I8::kLanes)) {
    unroll<0, NV>([&](auto v) __attribute__((always_inline)) {
      const std::int8_t* const quad = x + order[v == 3 ? orders3 : v * orders];
      const I8 w = load(weights + (v == 3 ? bytes3 : v * bytes));
      typename D::Weights split;
      if (Help) split = D::split(w, broadcast(std::int8_t{0}));
      unroll<0, R>([&](auto r) __attribute__((always_inline)) {
        const I8 q = broadcast_quad(quad + r * kFewRow);
        acc[r][v] = D::add_pairs(acc[r][v], Help ? D::pairs(q, split) : dot_pairs_saturated(q, w));
      });
    });
  }
}

/// The exact sums of R rows of a panel of NV vectors.
template <int R, int NV, class D>
[[gnu::noinline, gnu::flatten]] void multiply_few(const FewTile& tile) {
  const FewTile t = tile;
  I32 acc[R][NV];
  unroll<0, R>([&](auto r) { unroll<0, NV>([&](auto v) { acc[r][v] = load(t.initial + r * t.initial_row + v * kLanes); }); });
  const std::int8_t *x = t.x, *weights = t.weights;
  const std::uint16_t* order = t.order;
  for (std::int64_t q = 0, n; q < t.quads; q += n, x += 4 * n) {
    n = t.quads - q < kSortedQuads ? t.quads - q : kSortedQuads;
    const std::int64_t as_is = 2 * order[kTwoAsIs] + order[kAsIs];
    order += kSortedKinds;
    multiply_few_of_kind<R, NV, false, D>(acc, t, x, as_is, weights, order);
    multiply_few_of_kind<R, NV, true, D>(acc, t, x + R * kFewRow, n - as_is, weights, order);
  }
  unroll<0, R>([&](auto r) { unroll<0, NV>([&](auto v) { store(t.sums + (r * NV + v) * kLanes, acc[r][v]); }); });
}
template <int NV, class D>
constexpr void (*kMultiplyFew[])(const FewTile&) = {multiply_few<1, NV, D>, multiply_few<2, NV, D>, multiply_few<3, NV, D>};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
