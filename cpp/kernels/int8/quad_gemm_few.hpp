// Products of one or two rows, above all by weights of sorted k: the vectors of a panel in one loop, each a stream of its own.
//
// In turns with one vector at a time, on Zen 3: one row of 960->1280 30 -> 25 us (49 GB/s; up to 5 % more with what each panel sets up),
// 512->512 6.2 -> 5.1, 256->64 0.5 -> 0.35, two rows of 960->1280 43 -> 36; three gained nothing, nor fetching ahead, nor sums of pairs of
// quads, as loads are the limit.
#pragma once

#include "kernels/int8/quad_gemm_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr int kFewRows = 2;

struct FewTile {
  const std::int8_t* x;  ///< rows of unsigned bytes, and behind them the same as signed ones
  std::int64_t x_row, quads;
  const std::int8_t* weights;  ///< of the panel's first vector, as is its order
  const std::uint16_t* order;
  std::int64_t vector_bytes, vector_order;  ///< to the next vector's
  const std::int32_t* initial;
  std::int64_t initial_row;
  std::int32_t* sums;
};

/// `n` quads of each vector, of one kind or of two that share its operations; weights and order move on.
template <int R, int NV, bool Help, class D>
[[gnu::always_inline]] inline void multiply_few_of_kind(I32 (&acc)[R][NV], const FewTile& t, const std::int8_t* x, std::int64_t n,
                                                        const std::int8_t*& weights, const std::uint16_t*& order) {
  const std::int64_t bytes = t.vector_bytes, bytes3 = opaque(3 * bytes), orders = t.vector_order, orders3 = opaque(3 * orders);
  const std::int8_t* const x2 = opaque(x + t.x_row);
  for (const std::uint16_t* const end = order + n; order < end; ++order, weights = opaque(weights + I8::kLanes)) {
    unroll<0, NV>([&](auto v) __attribute__((always_inline)) {
      const std::int64_t at = order[v == 3 ? orders3 : v * orders];
      const I8 w = load(weights + (v == 3 ? bytes3 : v * bytes));
      typename D::Weights split;
      if (Help) split = D::split(w, broadcast(std::int8_t{0}));
      unroll<0, R>([&](auto r) __attribute__((always_inline)) {
        const I8 q = broadcast_quad((r == 0 ? x : x2) + at);
        acc[r][v] = D::add_pairs(acc[r][v], Help ? D::pairs(q, split) : dot_pairs_saturated(q, w));
      });
    });
  }
}

/// n bytes of each row, unsigned and, behind all rows, signed.
inline void copy_both(const Pieces& p, const std::int8_t* a, std::int64_t rows, std::int64_t n, std::int64_t to_row) {
  std::int8_t* to = p.to;
  for (int flip = p.flip, twice = 0; twice < 2; ++twice, flip ^= 0x80) {
    for (std::int64_t r = 0; r < rows; ++r, to += to_row) copy_row(a + r * p.a_row, n, static_cast<std::uint8_t>(flip), to);
  }
}

/// The exact sums of R rows of a panel of NV vectors.
template <int R, int NV, class D>
[[gnu::noinline, gnu::flatten]] void multiply_few(const FewTile& t) {
  I32 acc[R][NV];
  unroll<0, R>([&](auto r) { unroll<0, NV>([&](auto v) { acc[r][v] = load(t.initial + r * t.initial_row + v * kLanes); }); });
  const std::int8_t *x = t.x, *weights = t.weights;
  const std::uint16_t* order = t.order;
  for (std::int64_t q = 0, n; q < t.quads; q += n, x += 4 * n) {
    n = t.quads - q < kSortedQuads ? t.quads - q : kSortedQuads;
    const std::int64_t as_is = 2 * order[kTwoAsIs] + order[kAsIs];
    order += kSortedKinds;
    multiply_few_of_kind<R, NV, false, D>(acc, t, x, as_is, weights, order);
    multiply_few_of_kind<R, NV, true, D>(acc, t, x + R * t.x_row, n - as_is, weights, order);
  }
  unroll<0, R>([&](auto r) { unroll<0, NV>([&](auto v) { store(t.sums + (r * NV + v) * kLanes, acc[r][v]); }); });
}

/// Sums of a panel's `vectors` (1, 2 or 4).
template <class D>
[[gnu::noinline]] void few_sums(const QuadTiles& t, int vectors, std::int64_t rows, std::int32_t* sums) {
  constexpr void (*kMultiply[][3])(const FewTile&) = {{multiply_few<1, 1, D>, multiply_few<1, 2, D>, multiply_few<1, 4, D>},
                                                      {multiply_few<2, 1, D>, multiply_few<2, 2, D>, multiply_few<2, 4, D>}};
  FewTile f{t.a, t.a_row, t.b_quads, t.b, t.order, t.b_quads * I8::kLanes, sorted_order(t.b_quads), t.initial, 0, sums};
  for (std::int64_t q = 0; q < t.b_quads; q += f.quads) {
    if (t.pieces != nullptr) {
      const Pieces& p = *t.pieces;
      const std::int64_t left = p.k - 4 * q, bytes = left < kPieceBytes ? left : kPieceBytes;
      copy_both(p, t.a + 4 * q, rows, bytes, t.a_row);
      f.x = p.to;
      f.quads = (bytes + 3) / 4;
    }
    kMultiply[rows - 1][vectors / 2](f);
    f.weights += f.quads * I8::kLanes;
    f.order += sorted_order(f.quads);
    f.initial = sums;
    f.initial_row = vectors * kLanes;
  }
}

/// The sums of one row of a whole panel, whose halves lie apart, by weights of short k that are split as they are read: by halves, each
/// with its own loop and flips of masks, 64->64 took 0.19 us, 0.15 so, 120->480 1.38 and 1.24.
template <class D>
[[gnu::flatten, gnu::noinline]] void multiply_row(const QuadTiles& t, std::int32_t* sums) {
  const I8 flip = broadcast(static_cast<std::int8_t>(t.x_flip)), none = broadcast(std::int8_t{0});
  const std::int64_t half = kQuadGroup * t.b_quads * I8::kLanes;
  I32 acc[4];
  unroll<0, 4>([&](auto j) { acc[j] = load(t.initial + j * kLanes); });
  const std::int8_t *b = t.b, *const end = t.a + 4 * t.quads;
  for (const std::int8_t* a = t.a; a < end; a += 4, b += kQuadGroup * I8::kLanes) {
    const I8 x = bit_xor(broadcast_quad(a), flip);
    unroll<0, 4>(
        [&](auto j) { acc[j] = D::add(acc[j], x, D::split(load(b + j / kQuadGroup * half + j % kQuadGroup * I8::kLanes), none)); });
  }
  unroll<0, 4>([&](auto j) { store(sums + j * kLanes, acc[j]); });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
