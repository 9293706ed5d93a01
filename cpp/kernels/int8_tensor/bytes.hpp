// Vectors of bytes as four of numbers, and back.
#pragma once

#include <cstddef>

#include "simd/math.hpp"
#include "simd/quads.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

#if !defined(__AVX2__) && !defined(__aarch64__)
// Without quads.hpp's operations on each 16 bytes: vectors stay in order.
[[gnu::always_inline]] inline I16 lane_pack(I32 a, I32 b) { return narrow(a, b); }
[[gnu::always_inline]] inline I8 lane_pack(I16 a, I16 b) { return narrow(a, b); }
[[gnu::always_inline]] inline I8 lane_unpack_lower(I8 a, I8 b) { return zip_lower(a, b); }
[[gnu::always_inline]] inline I8 lane_unpack_upper(I8 a, I8 b) { return zip_upper(a, b); }
template <int N>
[[gnu::always_inline]] inline I8 lane_join(I8 a) {
  return a;
}
[[gnu::always_inline]] inline void lane_transpose(F32 (&)[4]) {}
#endif

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

/// Bytes as numbers less their zero point. The four vectors share each 16 bytes out four by four, as lane_pack brings them together: so no
/// byte leaves its 16, and nothing is widened by more than unpacking it with the upper bytes of a float of 2^23 or more.
class ByteNumbers {
 public:
#if defined(__AVX2__) || defined(__aarch64__)
  /// `flip`: what the bytes are to be xored with to be int8.
  [[gnu::always_inline]] inline ByteNumbers(std::uint8_t flip, std::int32_t zero)
      : flip_(broadcast(static_cast<std::int8_t>(flip ^ 0x80))), zero_(broadcast(static_cast<float>((1 << 23) + 128 + zero))) {}

  [[gnu::always_inline]] inline void at(const std::int8_t* p, F32 (&v)[4]) const {
    const I8 bytes = bit_xor(load(p), flip_), none = broadcast(std::int8_t{0});
    const I16 lower = reinterpret<std::int16_t>(lane_unpack_lower(bytes, none));
    const I16 upper = reinterpret<std::int16_t>(lane_unpack_upper(bytes, none)), exponent = broadcast(std::int16_t{0x4B00});
    v[0] = sub(reinterpret<float>(lane_unpack_lower(lower, exponent)), zero_);
    v[1] = sub(reinterpret<float>(lane_unpack_upper(lower, exponent)), zero_);
    v[2] = sub(reinterpret<float>(lane_unpack_lower(upper, exponent)), zero_);
    v[3] = sub(reinterpret<float>(lane_unpack_upper(upper, exponent)), zero_);
  }

 private:
  I8 flip_;
  F32 zero_;
#else
  [[gnu::always_inline]] inline ByteNumbers(std::uint8_t flip, std::int32_t zero) : flip_(flip_bits(flip)), zero_(broadcast(zero)) {}

  [[gnu::always_inline]] inline void at(const std::int8_t* p, F32 (&v)[4]) const {
    unroll<0, 4>([&](auto j) { v[j] = to_float(sub(widened_at(p + j * kLanes, flip_), zero_)); });
  }

 private:
  I32 flip_, zero_;
#endif
};

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

/// Rounds real numbers to stored values: clamp(round_half_even(v) + zero, lo, hi). Values that are sure to be within int32 are clamped as
/// bytes alone, which takes a fifth of the operations.
struct Rounding {
  F32 least, most;
  I16 zero;
  I8 lowest, highest, flip;
  bool within;

  [[gnu::always_inline]] inline Rounding(std::int32_t zero_point, std::int32_t lo, std::int32_t hi, std::uint8_t y_flip, bool values_within)
      : least(broadcast(static_cast<float>(lo - zero_point))),
        most(broadcast(static_cast<float>(hi - zero_point))),
        zero(broadcast(static_cast<std::int16_t>(zero_point))),
        lowest(broadcast(static_cast<std::int8_t>(lo))),
        highest(broadcast(static_cast<std::int8_t>(hi))),
        flip(broadcast(static_cast<std::int8_t>(y_flip))),
        within(values_within) {}

  /// Of vectors in order. NaN, which is never within, becomes the least.
  [[gnu::always_inline]] inline I8 stored(F32 (&v)[4]) const { return lane_join<4>(packed(v)); }

  /// Of vectors as ByteNumbers are.
  [[gnu::always_inline]] inline I8 packed(F32 (&v)[4]) const {
    if (!within) unroll<0, 4>([&](auto j) { v[j] = min_or_second(max_or_second(v[j], least), most); });
    I32 whole[4];
    unroll<0, 4>([&](auto j) { whole[j] = to_int32(v[j]); });
    return packed(whole);
  }
  [[gnu::always_inline]] inline I8 packed(const I32 (&v)[4]) const {
    const auto half = [&](int j) { return add_saturated(lane_pack(v[j], v[j + 1]), zero); };
    return bit_xor(minimum(maximum(lane_pack(half(0), half(2)), lowest), highest), flip);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
