// Matrix products without dot products, k sorted by how their weights may be multiplied.
//
// Two products of an unsigned and a signed byte saturate where two weights of one sign add up to more than 128: then |w| is multiplied, and
// x xor a mask (dot_xor.hpp), four operations where three do for others. Of either kind two quads share the sums of pairs, in int16, where
// these cannot overflow: five operations, or seven, for two. Which quads those are is free, so that pairs are found for most: of random
// weights a quad takes 3.2 operations at k = 100, 2.7 at 1000; of trained ones, fewer. So each vector of columns has its k in an
// order of its own, and each kind a loop.
#pragma once

#include "kernels/int8/quad_requantize.hpp"
#include "kernels/row_addresses.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr bool kSorts = Dot::kWeightVectors == 2 && kRegisters < 32;
constexpr int kSortedRows = 10;                ///< of a tile, one vector wide
constexpr int kSortedBlock = 5 * kSortedRows;  ///< rows that are computed with a vector's weights at a time
constexpr std::int64_t kSortedQuads = 256;     ///< that are sorted together
constexpr std::int64_t kSortedFrom = 40;       ///< quads
enum SortedKind : int { kTwoAsIs, kAsIs, kTwoHelped, kHelped, kSortedKinds };

/// A vector's order: for each kSortedQuads, or what is left, the number of entries of each kind, then where in a row of x the quads begin.
constexpr std::int64_t sorted_order(std::int64_t quads) { return quads + (quads + kSortedQuads - 1) / kSortedQuads * kSortedKinds; }

/// Shorter k are not sorted: most of their weights need help, and tiles of two vectors read less of x. Four vector ports (Zen 3) are as
/// fast either way at k = 160, 1.1 to 1.25 times as fast so for k from 48 to 144; three (Xeon) took 1.02 to 1.2 of the time there.
constexpr bool is_sorted(std::int64_t k) { return kSorts && (k + 3) / 4 >= kSortedFrom; }  // also where rows of x are padded to whole quads

/// Operands of `tiles` tiles: weights that do as they are, and those that are split, in order.
struct SortedTile {
  const std::int8_t* a;
  std::int64_t a_row;
  const std::uint16_t* order;
  const std::int8_t *as_is, *split;
  const std::int32_t* initial;
  std::int64_t initial_row;
  std::int32_t* sums;
  std::int64_t sums_row, tiles;
  const std::int8_t* ahead;  ///< the next vector's weights, of which each tile fetches so many lines
  std::int64_t lines;
};

/// Weights are read once a call, faster than Zen 3 fetches them from the level-3 cache: 49 rows of 160->960 take 142 us, 119 with this. One
/// or two rows gain nothing, as they read four streams (quad_gemm_few.hpp).
constexpr std::int64_t kFetchAhead = 8192, kLine = 64;
[[gnu::always_inline]] inline void fetch(const std::int8_t* p) { __builtin_prefetch(p, 0, 3); }

/// `n` entries of one kind; w and offsets move on. Split: weights that need help are as the products need them, else as they are packed.
template <int MR, SortedKind Kind, class D, bool Split, class Sums>
[[gnu::always_inline]] inline void multiply_kind(Sums (&acc)[MR], RowAddresses<const std::int8_t>& rows, std::int64_t row9,
                                                 const std::int8_t* a, const std::uint16_t*& offsets, int n, const std::int8_t*& w) {
  constexpr bool kHelp = Kind == kTwoHelped || Kind == kHelped;
  constexpr int kQuads = Kind == kTwoAsIs || Kind == kTwoHelped ? 2 : 1, kVectors = kHelp && Split ? 2 : 1;
  RowAddresses<const std::int8_t> second = rows;
  const auto move = [&](RowAddresses<const std::int8_t> & to, int offset) __attribute__((always_inline)) {
    to.base[0] = reinterpret_cast<const char*>(opaque(a + offset));
    if (MR > 9) to.base[1] = to.base[0] + row9;
  };
  for (; n > 0; --n) {
    move(rows, offsets[0]);
    if (kQuads == 2) move(second, offsets[1]);
    if (!Split) fetch(w + kFetchAhead);
    typename D::Weights weights[kQuads];
    unroll<0, kQuads>([&](auto q) __attribute__((always_inline)) {
      if constexpr (kHelp && !Split) {
        weights[q] = D::split(load(w + q * I8::kLanes), broadcast(static_cast<std::int8_t>(-128)));
      } else {
        weights[q].magnitude = load(w + q * kVectors * I8::kLanes);
        if (kVectors == 2) weights[q].sign = load(w + (q * kVectors + 1) * I8::kLanes);
      }
    });
    unroll<0, MR>([&](auto m) __attribute__((always_inline)) {
      I16 pairs;
      unroll<0, kQuads>([&](auto q) __attribute__((always_inline)) {
        std::int32_t quad;
        __builtin_memcpy(&quad, (q == 0 ? rows : second).template at<m>(), sizeof quad);
        const I8 x = reinterpret<std::int8_t>(broadcast(quad));
        const I16 products = kHelp ? D::pairs(x, weights[q]) : dot_pairs_saturated(x, weights[q].magnitude);
        pairs = q == 0 ? products : add(pairs, products);
      });
      acc[m] = D::add_pairs(acc[m], pairs);
    });
    offsets += kQuads;
    w = opaque(w + kQuads * kVectors * I8::kLanes);
  }
}

/// The exact sums of MR rows x one vector; t moves behind the last tile.
template <int MR, class D, bool Split>
[[gnu::flatten]] void multiply_sorted(SortedTile& t) {
  RowAddresses<const std::int8_t> rows(t.a, t.a_row);
  const std::int64_t row9 = MR > 9 ? opaque(9 * t.a_row) : 0;
  const std::uint16_t* const count = t.order;
  const std::int8_t *a = t.a, *ahead = t.ahead;
  const std::int32_t* initial = t.initial;
  std::int32_t* sums = t.sums;
  for (std::int64_t tile = 0; tile < t.tiles; ++tile) {
    if (Split) {
      for (std::int64_t i = t.lines; i > 0; --i, ahead += kLine) fetch(ahead);
    }
    typename D::Sums acc[MR];
#pragma GCC unroll 10
    for (int m = 0; m < MR; ++m, initial += t.initial_row) acc[m] = D::start(load(initial));
    const std::uint16_t* offsets = count + kSortedKinds;
    const std::int8_t *as_is = t.as_is, *split = t.split;
    multiply_kind<MR, kTwoAsIs, D, Split>(acc, rows, row9, a, offsets, count[kTwoAsIs], as_is);
    multiply_kind<MR, kAsIs, D, Split>(acc, rows, row9, a, offsets, count[kAsIs], as_is);
    multiply_kind<MR, kTwoHelped, D, Split>(acc, rows, row9, a, offsets, count[kTwoHelped], split);
    multiply_kind<MR, kHelped, D, Split>(acc, rows, row9, a, offsets, count[kHelped], split);
#pragma GCC unroll 10
    for (int m = 0; m < MR; ++m, sums += t.sums_row) store(sums, D::finish(acc[m]));
    a += MR * t.a_row;
  }
  t.a = a;
  t.ahead = ahead;
  t.initial = initial;
  t.sums = sums;
}
/// By height: of more rows weights are split once for all tiles; to store them takes longer than products of four rows or fewer.
constexpr int kRowsUnsplit = 4;
template <class D>
constexpr void (*kMultiplySorted[])(SortedTile&) = {nullptr,  // few_sums
                                                    nullptr,
                                                    multiply_sorted<3, D, false>,
                                                    multiply_sorted<4, D, false>,
                                                    multiply_sorted<5, D, true>,
                                                    multiply_sorted<6, D, true>,
                                                    multiply_sorted<7, D, true>,
                                                    multiply_sorted<8, D, true>,
                                                    multiply_sorted<9, D, true>,
                                                    multiply_sorted<10, D, true>};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
