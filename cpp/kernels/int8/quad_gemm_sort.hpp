// Sorts the k of a vector of columns by how their weights may be multiplied (quad_gemm_sorted.hpp).
#pragma once

#include "kernels/int8/quad_gemm_sorted.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Entries of one kind, in order.
struct SortedEntries {
  int count = 0, quads = 0;
  std::uint16_t quad[kSortedQuads];
};

/// Takes from left[0, n), the hardest first, those that fit together as pairs; a hard one's partner is the hardest that fits of the easy
/// ones, as others may need the easiest. What is left are singles.
template <class D>
inline void pair_quads(const std::int8_t* sums, std::uint16_t* left, int n, bool helped, SortedEntries& pairs, SortedEntries& singles) {
  const int tries = helped ? 24 : 48;  // of 16,384 quads of normal weights 238 stay alone, 1,090 where the easiest that fits is taken
  for (; n > 0; ++left, --n) {
    const I8 hard = load(sums + left[0] * I8::kLanes);
    int i = n > tries ? n - tries : 1;
    while (i < n && !D::fit(hard, load(sums + left[i] * I8::kLanes), helped)) ++i;
    if (i >= n) {
      singles.quad[singles.quads++] = left[0];
      ++singles.count;
      continue;
    }
    pairs.quad[pairs.quads++] = left[0];
    pairs.quad[pairs.quads++] = left[i];
    ++pairs.count;
    for (--n; i < n; ++i) left[i] = left[i + 1];
  }
}

/// How many quads may be multiplied as they are.
template <class D>
inline int count_as_is(const std::int8_t* weights, int quads) {
  int count = 0;
  for (int q = 0; q < quads; ++q) count += D::most(D::pair_sums(load(weights + q * I8::kLanes))) <= D::kAsIs ? 1 : 0;
  return count;
}

/// Sorts at most kSortedQuads quads of weights in place, writes their order, and adds to the initial sums what weights that are multiplied
/// as they are, `as_is` of them, need beyond others.
template <class D>
[[gnu::noinline]] void sort_quads(std::int8_t* weights, int quads, int as_is, std::uint16_t* order, std::int32_t* initial) {
  constexpr int kMost = 255, kBytes = I8::kLanes;
  alignas(64) std::int8_t unsorted[kSortedQuads * kBytes], sums[kSortedQuads * kBytes];
  std::uint8_t most[kSortedQuads];
  std::uint16_t behind[kMost + 2] = {};
  for (int q = 0; q < quads; ++q) {
    const I8 w = load(weights + q * kBytes);
    const I8 s = D::pair_sums(w);
    store(unsorted + q * kBytes, w);
    store(sums + q * kBytes, s);
    most[q] = static_cast<std::uint8_t>(D::most(s));
    ++behind[most[q]];
  }
  for (int m = kMost; m >= 0; --m) behind[m] = static_cast<std::uint16_t>(behind[m] + behind[m + 1]);
  const int helped = quads - as_is;
  std::uint16_t hardest[kSortedQuads];
  for (int q = quads - 1; q >= 0; --q) hardest[--behind[most[q]]] = static_cast<std::uint16_t>(q);
  SortedEntries kinds[kSortedKinds];
  pair_quads<D>(sums, hardest + helped, quads - helped, false, kinds[kTwoAsIs], kinds[kAsIs]);
  pair_quads<D>(sums, hardest, helped, true, kinds[kTwoHelped], kinds[kHelped]);

  std::uint16_t* offset = order + kSortedKinds;
  I32 added = load(initial);
  const I8 ones = broadcast(std::int8_t{1});
  for (int kind = 0; kind < kSortedKinds; ++kind) {
    order[kind] = static_cast<std::uint16_t>(kinds[kind].count);
    for (int i = 0; i < kinds[kind].quads; ++i, weights += kBytes) {
      const int q = kinds[kind].quad[i];
      *offset++ = static_cast<std::uint16_t>(4 * q);
      const I8 w = load(unsorted + q * kBytes);
      store(weights, w);
      if (kind > kAsIs) continue;
      // 128 for each w, as x is unsigned, and what those that are helped have for |w|.
      const I8 down = minimum(w, broadcast(std::int8_t{0}));
      added = D::add_pairs(added, sub(dot_pairs_saturated(ones, down), mul(dot_pairs_saturated(ones, w), broadcast(std::int16_t{128}))));
    }
  }
  store(initial, added);
}

/// All quads of a panel's vectors. As many of each are multiplied as they are, so that one loop can do all vectors.
template <class D>
inline void sort_panel(std::int8_t* weights, int vectors, std::int64_t quads, std::uint16_t* order, std::int32_t* initial) {
  const std::int64_t bytes = quads * I8::kLanes;
  for (std::int64_t q = 0, n; q < quads; q += n, order += kSortedKinds + n, weights += n * I8::kLanes) {
    n = quads - q < kSortedQuads ? quads - q : kSortedQuads;
    int as_is = static_cast<int>(n);
    for (int v = 0; v < vectors; ++v) {
      const int count = count_as_is<D>(weights + v * bytes, static_cast<int>(n));
      if (count < as_is) as_is = count;
    }
    for (int v = 0; v < vectors; ++v) {
      sort_quads<D>(weights + v * bytes, static_cast<int>(n), as_is, order + v * sorted_order(quads), initial + v * kLanes);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
