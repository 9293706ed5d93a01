// Vectors of bytes as four of numbers, and back.
#pragma once

#include <cstddef>

#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Elements that are computed together: a vector of bytes, four of numbers.
constexpr int kByteLanes = I8::kLanes;

/// Where the next kByteLanes elements can be read: where they are, or if only n exist, a copy of these. By calls of memcpy: pieces of
/// vectors in registers were half of the code.
template <class T>
struct Part {
  T copy[kByteLanes] = {};

  [[gnu::always_inline]] inline const T* at(const T* p, int n) {
    if (n == kByteLanes) return p;
    __builtin_memcpy(copy, p, static_cast<std::size_t>(n) * sizeof(T));
    return copy;
  }
};

/// The first n of a vector of bytes, or of four vectors of floats, to y.
[[gnu::always_inline]] inline void store_part(std::int8_t* y, I8 v, int n) {
  if (n == kByteLanes) return store(y, v);
  std::int8_t copy[kByteLanes];
  store(copy, v);
  __builtin_memcpy(y, copy, static_cast<std::size_t>(n));
}
[[gnu::always_inline]] inline void store_part(float* y, const F32 (&v)[4], int n) {
  float copy[kByteLanes];
  float* const to = n == kByteLanes ? y : copy;
  unroll<0, 4>([&](auto j) { store(to + j * kLanes, v[j]); });
  if (n != kByteLanes) __builtin_memcpy(y, copy, static_cast<std::size_t>(n) * sizeof(float));
}

/// Bytes kLanes to a vector, widened as they are loaded: half as many shuffles as widening a register.
[[gnu::always_inline]] inline I32 widened_at(const std::int8_t* p, I32 flip) { return bit_xor(load_as<std::int32_t>(p), flip); }
[[gnu::always_inline]] inline I32 flip_bits(std::uint8_t flip) {
  return broadcast(static_cast<std::int32_t>(static_cast<std::int8_t>(flip)));
}

/// Calls f(first column, columns) for all columns of a row, kByteLanes at a time. The last of them may be computed twice, which is cheaper
/// than a part of a vector; that one body does for all of them is half the code.
template <class F>
[[gnu::always_inline]] inline void by_bytes(std::int64_t columns, const F& f) {
  const std::int64_t last = columns < kByteLanes ? 0 : columns - kByteLanes;
  const int n = columns < kByteLanes ? static_cast<int>(columns) : kByteLanes;
  for (std::int64_t c = 0;; c = c + kByteLanes < last ? c + kByteLanes : last) {
    f(c, n);
    if (c == last) return;
  }
}

/// Between bounds, as real numbers.
[[gnu::always_inline]] inline void clip_all(F32 (&v)[4], F32 lo, F32 hi) {
  unroll<0, 4>([&](auto j) { v[j] = clip(v[j], lo, hi); });
}

/// Rounds real numbers to stored values: clamp(round_half_even(v) + zero, lo, hi). Values that are sure to be within int32, and far enough
/// for the zero point, are clamped as bytes alone, which takes a fifth of the operations.
struct Rounding {
  F32 least, most;
  I32 zero;
  I8 lowest, highest, flip;
  bool within;

  [[gnu::always_inline]] inline Rounding(std::int32_t zero_point, std::int32_t lo, std::int32_t hi, std::uint8_t y_flip, bool values_within)
      : least(broadcast(static_cast<float>(lo - zero_point))),
        most(broadcast(static_cast<float>(hi - zero_point))),
        zero(broadcast(zero_point)),
        lowest(broadcast(static_cast<std::int8_t>(lo))),
        highest(broadcast(static_cast<std::int8_t>(hi))),
        flip(broadcast(static_cast<std::int8_t>(y_flip))),
        within(values_within) {}

  /// NaN, which is never within, becomes the least.
  [[gnu::always_inline]] inline I8 stored(F32 (&v)[4]) const {
    if (!within) unroll<0, 4>([&](auto j) { v[j] = min_or_second(max_or_second(v[j], least), most); });
    const auto whole = [&](int j) { return add(to_int32(v[j]), zero); };
    return bit_xor(minimum(maximum(narrow(whole(0), whole(1), whole(2), whole(3)), lowest), highest), flip);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
