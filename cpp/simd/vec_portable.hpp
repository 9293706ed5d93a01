// Any processor, on arrays of 16 bytes, which the compiler keeps in whatever registers there are. (Its own vector type
// goes through memory where there are none.) The operations mean what vec.hpp says.
#pragma once

#include <cstdint>

#include "simd/unroll.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kRegisters = 8;  // of four numbers each: 32 registers for one
#ifdef __FP_FAST_FMAF
constexpr bool kFusedMultiplyAdd = !kUnfused;
#else
constexpr bool kFusedMultiplyAdd = false;
#endif
constexpr bool kMasks = false;

template <class T>
struct Vec {
  static constexpr int kLanes = 16 / static_cast<int>(sizeof(T));
  T v[kLanes];
};

/// The low bits of an integer that was computed with room to spare.
template <class T>
[[gnu::always_inline]] constexpr T low_bits(std::int64_t x) {
  return static_cast<T>(x);
}

/// Lane i of the result is f(i).
template <class T, class F>
[[gnu::always_inline]] inline Vec<T> make(const F& f) {
  Vec<T> r;
  unroll<0, Vec<T>::kLanes>([&](auto i) { r.v[i] = static_cast<T>(f(i)); });
  return r;
}

template <class To, class From>
[[gnu::always_inline]] inline Vec<To> reinterpret(Vec<From> a) {
  Vec<To> r;
  if constexpr (sizeof(To) == sizeof(From)) {
    unroll<0, Vec<To>::kLanes>([&](auto i) { __builtin_memcpy(&r.v[i], &a.v[i], sizeof(To)); });
  } else {
    __builtin_memcpy(&r, &a, sizeof r);
  }
  return r;
}

template <class T>
[[gnu::always_inline]] inline Vec<T> load(const T* p) {
  return make<T>([&](int i) { return p[i]; });
}
template <class T>
[[gnu::always_inline]] inline void store(T* p, Vec<T> a) {
  unroll<0, Vec<T>::kLanes>([&](auto i) { p[i] = a.v[i]; });
}
template <class T>
[[gnu::always_inline]] inline void store_nontemporal(T* p, Vec<T> a) {
  store(p, a);
}
[[gnu::always_inline]] inline void fence_nontemporal() {}
[[gnu::always_inline]] inline Vec<float> in_register(Vec<float> a) { return a; }
template <class T>
[[gnu::always_inline]] inline Vec<T> load_first(const T* p, int n) {
  return make<T>([&](int i) { return i < n ? p[i] : T{}; });
}
template <class T>
[[gnu::always_inline]] inline void store_first(T* p, Vec<T> a, int n) {
  unroll<0, Vec<T>::kLanes>([&](auto i) {
    if (i < n) p[i] = a.v[i];
  });
}
template <class To, class From>
[[gnu::always_inline]] inline Vec<To> load_as(const From* p) {
  return make<To>([&](int i) { return p[i]; });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> broadcast(T x) {
  return make<T>([&](int) { return x; });
}

[[gnu::always_inline]] inline Vec<float> add(Vec<float> a, Vec<float> b) {
  return make<float>([&](int i) { return a.v[i] + b.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> sub(Vec<float> a, Vec<float> b) {
  return make<float>([&](int i) { return a.v[i] - b.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> mul(Vec<float> a, Vec<float> b) {
  return make<float>([&](int i) { return a.v[i] * b.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> div(Vec<float> a, Vec<float> b) {
  return make<float>([&](int i) { return a.v[i] / b.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  if constexpr (kFusedMultiplyAdd) return make<float>([&](int i) { return __builtin_fmaf(a.v[i], b.v[i], c.v[i]); });
  return make<float>([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> sqrt(Vec<float> a) {
  return make<float>([&](int i) { return __builtin_sqrtf(a.v[i]); });
}
[[gnu::always_inline]] inline Vec<float> abs(Vec<float> a) {
  return make<float>([&](int i) { return __builtin_fabsf(a.v[i]); });
}
[[gnu::always_inline]] inline Vec<float> copy_sign(Vec<float> magnitude, Vec<float> s) {
  return make<float>([&](int i) { return __builtin_copysignf(magnitude.v[i], s.v[i]); });
}
[[gnu::always_inline]] inline Vec<float> max_or_second(Vec<float> a, Vec<float> b) {
  return make<float>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> min_or_second(Vec<float> a, Vec<float> b) {
  return make<float>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> select_less(Vec<T> a, Vec<T> b, Vec<T> x, Vec<T> y) {
  return make<T>([&](int i) { return a.v[i] < b.v[i] ? x.v[i] : y.v[i]; });
}
[[gnu::always_inline]] inline bool any_less(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  bool any = false;
  unroll<0, Vec<std::int32_t>::kLanes>([&](auto i) { any |= a.v[i] < b.v[i]; });
  return any;
}
template <class T>
[[gnu::always_inline]] inline Vec<T> select_equal(Vec<T> a, Vec<T> b, Vec<T> x, Vec<T> y) {
  return make<T>([&](int i) { return a.v[i] == b.v[i] ? x.v[i] : y.v[i]; });
}
/// What comes behind 2^23 is an integer already; below it, adding 2^23 rounds.
[[gnu::always_inline]] inline Vec<float> round(Vec<float> a) {
  const Vec<float> magnitude = abs(a), large = broadcast(8388608.0F);
  return copy_sign(select_less(magnitude, large, sub(add(magnitude, large), large), magnitude), a);
}
[[gnu::always_inline]] inline Vec<float> maximum(Vec<float> a, Vec<float> b) {
  const Vec<float> r = max_or_second(a, b);
  return make<float>([&](int i) { return a.v[i] == a.v[i] ? r.v[i] : a.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> minimum(Vec<float> a, Vec<float> b) {
  const Vec<float> r = min_or_second(a, b);
  return make<float>([&](int i) { return a.v[i] == a.v[i] ? r.v[i] : a.v[i]; });
}
[[gnu::always_inline]] inline Vec<float> permute(Vec<float> a, const std::int32_t* index) {
  return make<float>([&](int i) { return a.v[index[i]]; });
}

template <class T>
[[gnu::always_inline]] inline Vec<T> add(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return low_bits<T>(static_cast<std::int64_t>(a.v[i]) + b.v[i]); });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> sub(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return low_bits<T>(static_cast<std::int64_t>(a.v[i]) - b.v[i]); });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> mul(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return low_bits<T>(static_cast<std::int64_t>(a.v[i]) * b.v[i]); });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> maximum(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> minimum(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_and(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return a.v[i] & b.v[i]; });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_or(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return a.v[i] | b.v[i]; });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_xor(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return a.v[i] ^ b.v[i]; });
}
template <int N, class T>
[[gnu::always_inline]] inline Vec<T> shift_left(Vec<T> a) {
  return make<T>([&](int i) { return low_bits<T>(static_cast<std::int64_t>(a.v[i]) * (std::int64_t{1} << N)); });
}
template <int N, class T>
[[gnu::always_inline]] inline Vec<T> shift_right(Vec<T> a) {
  return make<T>([&](int i) { return a.v[i] >> N; });
}
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a, int n) {
  return make<std::int32_t>([&](int i) { return a.v[i] >> n; });
}

/// x where a T can hold it, and otherwise the nearest that it can.
template <class T>
[[gnu::always_inline]] constexpr T saturated(int x) {
  constexpr int most = (1 << (8 * sizeof(T) - 1)) - 1;
  return static_cast<T>(x > most ? most : x < -most - 1 ? -most - 1 : x);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> add_saturated(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return saturated<T>(a.v[i] + b.v[i]); });
}
[[gnu::always_inline]] inline Vec<std::int32_t> dot_pairs(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  const auto product = [&](int i) { return static_cast<std::uint32_t>(a.v[i] * b.v[i]); };
  return make<std::int32_t>([&](int i) { return product(2 * i) + product(2 * i + 1); });
}
[[gnu::always_inline]] inline Vec<std::int16_t> dot_pairs_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  const auto product = [&](int i) { return static_cast<std::uint8_t>(a.v[i]) * b.v[i]; };
  return make<std::int16_t>([&](int i) { return saturated<std::int16_t>(product(2 * i) + product(2 * i + 1)); });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> zip_lower(Vec<T> a, Vec<T> b) {
  return make<T>([&](int i) { return i % 2 == 0 ? a.v[i / 2] : b.v[i / 2]; });
}
template <class T>
[[gnu::always_inline]] inline Vec<T> zip_upper(Vec<T> a, Vec<T> b) {
  constexpr int kHalf = Vec<T>::kLanes / 2;
  return make<T>([&](int i) { return i % 2 == 0 ? a.v[kHalf + i / 2] : b.v[kHalf + i / 2]; });
}
[[gnu::always_inline]] inline Vec<float> even_lanes(Vec<float> a, Vec<float> b) {
  constexpr int kHalf = Vec<float>::kLanes / 2;
  return make<float>([&](int i) { return i < kHalf ? a.v[2 * i] : b.v[2 * (i - kHalf)]; });
}
[[gnu::always_inline]] inline Vec<float> odd_lanes(Vec<float> a, Vec<float> b) {
  constexpr int kHalf = Vec<float>::kLanes / 2;
  return make<float>([&](int i) { return i < kHalf ? a.v[2 * i + 1] : b.v[2 * (i - kHalf) + 1]; });
}

[[gnu::always_inline]] inline Vec<std::int16_t> widen_lower(Vec<std::int8_t> a) {
  return make<std::int16_t>([&](int i) { return a.v[i]; });
}
[[gnu::always_inline]] inline Vec<std::int16_t> widen_upper(Vec<std::int8_t> a) {
  return make<std::int16_t>([&](int i) { return a.v[8 + i]; });
}
[[gnu::always_inline]] inline Vec<std::int32_t> widen_lower(Vec<std::int16_t> a) {
  return make<std::int32_t>([&](int i) { return a.v[i]; });
}
[[gnu::always_inline]] inline Vec<std::int32_t> widen_upper(Vec<std::int16_t> a) {
  return make<std::int32_t>([&](int i) { return a.v[4 + i]; });
}
[[gnu::always_inline]] inline Vec<std::int16_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return make<std::int16_t>([&](int i) { return saturated<std::int16_t>(i < 4 ? a.v[i % 4] : b.v[i % 4]); });
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return make<std::int8_t>([&](int i) { return saturated<std::int8_t>(i < 8 ? a.v[i % 8] : b.v[i % 8]); });
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> c, Vec<std::int32_t> d) {
  return narrow(narrow(a, b), narrow(c, d));
}
[[gnu::always_inline]] inline Vec<std::int32_t> to_int32(Vec<float> a) {
  const Vec<float> r = round(a);
  return make<std::int32_t>([&](int i) { return static_cast<std::int32_t>(r.v[i]); });
}
[[gnu::always_inline]] inline Vec<float> to_float(Vec<std::int32_t> a) {
  return make<float>([&](int i) { return static_cast<float>(a.v[i]); });
}
[[gnu::always_inline]] inline Vec<std::int8_t> look_up(Vec<std::int8_t> a, const std::int8_t* table) {
  return make<std::int8_t>([&](int i) { return table[static_cast<std::uint8_t>(a.v[i])]; });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
