// Products of unsigned x without dot products, for the weights that need no help against saturation.
//
// Two products of an unsigned and a signed byte saturate where two weights of one sign add up to more than 128: then |w| is multiplied, and
// x xor a mask (dot_xor.hpp), four operations where three do for others. Of random weights half of the vectors of eight columns and four k
// are such at k = 100, a quarter at 1000; of trained ones, fewer. So k are sorted for each pair of vectors by which of the two need help,
// and each kind has a loop of its own.
#pragma once

#include "kernels/int8/quad_requantize.hpp"
#include "kernels/row_addresses.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// With more vectors at a time few k are the same kind in all.
constexpr bool kSorts = Dot::kWeightVectors == 2 && kRegisters < 32;
constexpr int kKinds = 4;  ///< bit j: vector j is multiplied as it is

constexpr std::int64_t kind_bytes(int kind) { return (4 - (kind & 1) - (kind >> 1)) * I8::kLanes; }

/// Whether four weights of each of kLanes columns are multiplied by unsigned bytes as they are.
inline bool needs_no_help(const std::int8_t* w) {
  bool fine = true;
  for (int i = 0; i < I8::kLanes; i += 2) {
    const int a = w[i], b = w[i + 1];
    fine = fine && (a > 0 ? a : 0) + (b > 0 ? b : 0) <= 128 && (a < 0 ? -a : 0) + (b < 0 ? -b : 0) <= 128;
  }
  return fine;
}

/// What multiplying unsigned x by w as it is adds to the initial sum, beyond what it has for |w|; modulo 2^32.
constexpr std::int32_t as_is_correction(std::int8_t w) { return -128 * w - Dot::correction(w); }

/// A pair of vectors, its k sorted.
struct SortedPair {
  std::int64_t count[kKinds];
  const std::int32_t* offsets;  ///< of x
  const std::int8_t* weights;
};
constexpr std::int64_t sorted_bytes(std::int64_t quads) {
  return quads * 4 * I8::kLanes + (kKinds + 1) * 2 * I8::kLanes + (4 * quads + 63) / 64 * 64;
}

/// Weights of `quads` quads x two vectors, as packed, to `to`.
template <class Splitting>
[[gnu::noinline]] SortedPair sort_pair(const std::int8_t* b, const std::int8_t* kinds, std::int64_t quads, std::uint8_t x_flip,
                                       std::int8_t* to) {
  SortedPair s{};
  for (std::int64_t q = 0; q < quads; ++q) ++s.count[kinds[q]];
  std::int8_t* weights[kKinds];
  std::int32_t* offsets[kKinds];
  auto* offset = reinterpret_cast<std::int32_t*>(to);
  s.offsets = offset;
  to += (4 * quads + 63) / 64 * 64;
  s.weights = to;
  for (int kind = 0; kind < kKinds; ++kind) {
    weights[kind] = to;
    offsets[kind] = offset;
    offset += s.count[kind];
    // A vector more is written than is read.
    to += s.count[kind] * kind_bytes(kind) + I8::kLanes;
  }
  const I8 flip = broadcast(static_cast<std::int8_t>(x_flip));
  for (std::int64_t q = 0; q < quads; ++q) {
    const int kind = kinds[q];
    *offsets[kind]++ = static_cast<std::int32_t>(4 * q);
    std::int8_t* p = weights[kind];
    for (int j = 0; j < 2; ++j) {
      const I8 w = load(b + (2 * q + j) * I8::kLanes);
      const auto split = Splitting::split(w, flip);
      const int plain = kind >> j & 1;
      const I8 as_is = broadcast(static_cast<std::int8_t>(-plain));
      store(p, bit_xor(split.magnitude, bit_and(as_is, bit_xor(split.magnitude, w))));
      store(p + I8::kLanes, split.sign);
      p += (2 - plain) * I8::kLanes;
    }
    weights[kind] = p;
  }
  return s;
}

/// n quads of one kind; b and offsets move on.
template <int MR, int Kind, class D, class Sums>
[[gnu::always_inline]] inline void multiply_kind(Sums (&acc)[MR][2], RowAddresses<const std::int8_t>& rows, const std::int8_t* a,
                                                 const std::int32_t*& offsets, std::int64_t n, const std::int8_t*& b) {
  for (; n > 0; --n) {
    rows.base[0] = reinterpret_cast<const char*>(a) + *offsets++;
    const std::int8_t* const second = b + ((Kind & 1) != 0 ? 1 : 2) * I8::kLanes;
    const auto w0 = D::load(b), w1 = D::load(second);
    unroll<0, MR>([&](auto m) __attribute__((always_inline)) {
      std::int32_t quad;
      __builtin_memcpy(&quad, rows.template at<m>(), sizeof quad);
      const I8 x = reinterpret<std::int8_t>(broadcast(quad));
      acc[m][0] = (Kind & 1) != 0 ? D::add_as_is(acc[m][0], x, w0.magnitude) : D::add(acc[m][0], x, w0);
      acc[m][1] = (Kind & 2) != 0 ? D::add_as_is(acc[m][1], x, w1.magnitude) : D::add(acc[m][1], x, w1);
    });
    b = opaque(b + kind_bytes(Kind));
  }
  b += I8::kLanes;
}

/// The exact sums of MR rows x two vectors.
template <int MR, class D>
[[gnu::flatten]] void multiply_sorted(const std::int8_t* a, std::int64_t a_row, const SortedPair& s, const std::int32_t* initial,
                                      std::int32_t* sums, int sums_row) {
  typename D::Sums acc[MR][2];
#pragma GCC unroll 6
  for (int m = 0; m < MR; ++m) {
    acc[m][0] = D::start(load(initial));
    acc[m][1] = D::start(load(initial + kLanes));
  }
  RowAddresses<const std::int8_t> rows(a, a_row);
  const std::int32_t* offsets = s.offsets;
  const std::int8_t* b = s.weights;
  multiply_kind<MR, 0, D>(acc, rows, a, offsets, s.count[0], b);
  multiply_kind<MR, 1, D>(acc, rows, a, offsets, s.count[1], b);
  multiply_kind<MR, 2, D>(acc, rows, a, offsets, s.count[2], b);
  multiply_kind<MR, 3, D>(acc, rows, a, offsets, s.count[3], b);
#pragma GCC unroll 6
  for (int m = 0; m < MR; ++m) {
    store(sums + m * sums_row, D::finish(acc[m][0]));
    store(sums + m * sums_row + kLanes, D::finish(acc[m][1]));
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
