// aarch64: 16 bytes, 32 vector registers. The operations mean what vec.hpp says.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr bool kMasks = false;
constexpr int kRegisters = 32;
constexpr bool kFusedMultiplyAdd = true;

template <class T>
struct Vec;
template <>
struct Vec<float> {
  static constexpr int kLanes = 4;
  float32x4_t v;
};
template <>
struct Vec<std::int32_t> {
  static constexpr int kLanes = 4;
  int32x4_t v;
};
template <>
struct Vec<std::int16_t> {
  static constexpr int kLanes = 8;
  int16x8_t v;
};
template <>
struct Vec<std::int8_t> {
  static constexpr int kLanes = 16;
  int8x16_t v;
};

[[gnu::always_inline]] inline uint8x16_t bits_of(Vec<float> a) { return vreinterpretq_u8_f32(a.v); }
[[gnu::always_inline]] inline uint8x16_t bits_of(Vec<std::int32_t> a) { return vreinterpretq_u8_s32(a.v); }
[[gnu::always_inline]] inline uint8x16_t bits_of(Vec<std::int16_t> a) { return vreinterpretq_u8_s16(a.v); }
[[gnu::always_inline]] inline uint8x16_t bits_of(Vec<std::int8_t> a) { return vreinterpretq_u8_s8(a.v); }
template <class T>
Vec<T> from_bits(uint8x16_t bits);
template <>
[[gnu::always_inline]] inline Vec<float> from_bits(uint8x16_t bits) {
  return {vreinterpretq_f32_u8(bits)};
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> from_bits(uint8x16_t bits) {
  return {vreinterpretq_s32_u8(bits)};
}
template <>
[[gnu::always_inline]] inline Vec<std::int16_t> from_bits(uint8x16_t bits) {
  return {vreinterpretq_s16_u8(bits)};
}
template <>
[[gnu::always_inline]] inline Vec<std::int8_t> from_bits(uint8x16_t bits) {
  return {vreinterpretq_s8_u8(bits)};
}
template <class To, class From>
[[gnu::always_inline]] inline Vec<To> reinterpret(Vec<From> a) {
  return from_bits<To>(bits_of(a));
}

[[gnu::always_inline]] inline Vec<float> load(const float* p) { return {vld1q_f32(p)}; }
[[gnu::always_inline]] inline void store(float* p, Vec<float> a) { vst1q_f32(p, a.v); }
[[gnu::always_inline]] inline void store_nontemporal(float* p, Vec<float> a) { store(p, a); }
[[gnu::always_inline]] inline void fence_nontemporal() {}
/// Keeps the compiler from loading a value once more for each use.
[[gnu::always_inline]] inline Vec<float> in_register(Vec<float> a) {
  asm("" : "+w"(a.v));
  return a;
}
[[gnu::always_inline]] inline Vec<float> broadcast(float x) { return {vdupq_n_f32(x)}; }
[[gnu::always_inline]] inline Vec<float> load_first(const float* p, int n) {
  if (n >= 4) return load(p);
  float32x4_t v = vdupq_n_f32(0.0F);
  if (n > 0) v = vld1q_lane_f32(p, v, 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return {v};
}
[[gnu::always_inline]] inline void store_first(float* p, Vec<float> a, int n) {
  if (n >= 4) return store(p, a);
  if (n > 0) vst1q_lane_f32(p, a.v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, a.v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, a.v, 2);
}
[[gnu::always_inline]] inline Vec<float> add(Vec<float> a, Vec<float> b) { return {vaddq_f32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> sub(Vec<float> a, Vec<float> b) { return {vsubq_f32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> mul(Vec<float> a, Vec<float> b) { return {vmulq_f32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> div(Vec<float> a, Vec<float> b) { return {vdivq_f32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  if constexpr (kUnfused) return add(mul(a, b), c);
  return {vfmaq_f32(c.v, a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<float> sqrt(Vec<float> a) { return {vsqrtq_f32(a.v)}; }
[[gnu::always_inline]] inline Vec<float> select_less(Vec<float> a, Vec<float> b, Vec<float> x, Vec<float> y) {
  return {vbslq_f32(vcltq_f32(a.v, b.v), x.v, y.v)};
}
// Not vmaxq: the same zero and the same NaN as on x86.
[[gnu::always_inline]] inline Vec<float> max_or_second(Vec<float> a, Vec<float> b) { return select_less(b, a, a, b); }
[[gnu::always_inline]] inline Vec<float> min_or_second(Vec<float> a, Vec<float> b) { return select_less(a, b, a, b); }
[[gnu::always_inline]] inline Vec<float> abs(Vec<float> a) { return {vabsq_f32(a.v)}; }
[[gnu::always_inline]] inline Vec<float> round(Vec<float> a) { return {vrndnq_f32(a.v)}; }
[[gnu::always_inline]] inline Vec<float> select_nan(Vec<float> a, Vec<float> x, Vec<float> y) {
  return {vbslq_f32(vceqq_f32(a.v, a.v), y.v, x.v)};
}
[[gnu::always_inline]] inline Vec<float> maximum(Vec<float> a, Vec<float> b) { return select_nan(a, a, max_or_second(a, b)); }
[[gnu::always_inline]] inline Vec<float> minimum(Vec<float> a, Vec<float> b) { return select_nan(a, a, min_or_second(a, b)); }
[[gnu::always_inline]] inline Vec<float> copy_sign(Vec<float> magnitude, Vec<float> s) {
  return {vbslq_f32(vdupq_n_u32(0x80000000U), s.v, magnitude.v)};
}
[[gnu::always_inline]] inline Vec<float> permute(Vec<float> a, const std::int32_t* index) {
  float lanes[4];
  store(lanes, a);
  const float picked[4] = {lanes[index[0]], lanes[index[1]], lanes[index[2]], lanes[index[3]]};
  return load(picked);
}
[[gnu::always_inline]] inline Vec<float> zip_lower(Vec<float> a, Vec<float> b) { return {vzip1q_f32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> zip_upper(Vec<float> a, Vec<float> b) { return {vzip2q_f32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> even_lanes(Vec<float> a, Vec<float> b) { return {vuzp1q_f32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> odd_lanes(Vec<float> a, Vec<float> b) { return {vuzp2q_f32(a.v, b.v)}; }

[[gnu::always_inline]] inline Vec<std::int32_t> load(const std::int32_t* p) { return {vld1q_s32(p)}; }
[[gnu::always_inline]] inline void store(std::int32_t* p, Vec<std::int32_t> a) { vst1q_s32(p, a.v); }
[[gnu::always_inline]] inline Vec<std::int32_t> broadcast(std::int32_t x) { return {vdupq_n_s32(x)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> add(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vaddq_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> sub(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vsubq_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> maximum(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vmaxq_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> minimum(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vminq_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> bit_and(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vandq_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> bit_or(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vorrq_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> bit_xor(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {veorq_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> select_less(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                            Vec<std::int32_t> y) {
  return {vbslq_s32(vcltq_s32(a.v, b.v), x.v, y.v)};
}
[[gnu::always_inline]] inline bool any_less(Vec<std::int32_t> a, Vec<std::int32_t> b) { return vmaxvq_u32(vcltq_s32(a.v, b.v)) != 0; }
[[gnu::always_inline]] inline Vec<std::int32_t> select_equal(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                             Vec<std::int32_t> y) {
  return {vbslq_s32(vceqq_s32(a.v, b.v), x.v, y.v)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> zip_lower(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vzip1q_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> zip_upper(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vzip2q_s32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> load(const std::int16_t* p) { return {vld1q_s16(p)}; }
[[gnu::always_inline]] inline void store(std::int16_t* p, Vec<std::int16_t> a) { vst1q_s16(p, a.v); }
[[gnu::always_inline]] inline Vec<std::int16_t> broadcast(std::int16_t x) { return {vdupq_n_s16(x)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> add(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vaddq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> sub(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vsubq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> maximum(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vmaxq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> minimum(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vminq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> bit_and(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vandq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> bit_or(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vorrq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> bit_xor(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {veorq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> select_less(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                            Vec<std::int16_t> y) {
  return {vbslq_s16(vcltq_s16(a.v, b.v), x.v, y.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> select_equal(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                             Vec<std::int16_t> y) {
  return {vbslq_s16(vceqq_s16(a.v, b.v), x.v, y.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> zip_lower(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vzip1q_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> zip_upper(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vzip2q_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> load(const std::int8_t* p) { return {vld1q_s8(p)}; }
[[gnu::always_inline]] inline void store(std::int8_t* p, Vec<std::int8_t> a) { vst1q_s8(p, a.v); }
[[gnu::always_inline]] inline Vec<std::int8_t> broadcast(std::int8_t x) { return {vdupq_n_s8(x)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> add(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vaddq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> sub(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vsubq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> maximum(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vmaxq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> minimum(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vminq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> bit_and(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vandq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> bit_or(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vorrq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> bit_xor(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {veorq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> select_less(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x, Vec<std::int8_t> y) {
  return {vbslq_s8(vcltq_s8(a.v, b.v), x.v, y.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> select_equal(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x,
                                                            Vec<std::int8_t> y) {
  return {vbslq_s8(vceqq_s8(a.v, b.v), x.v, y.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> zip_lower(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vzip1q_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> zip_upper(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vzip2q_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> mul(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {vmulq_s32(a.v, b.v)}; }
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_left(Vec<std::int32_t> a) {
  return {vshlq_n_s32(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a) {
  return {vshrq_n_s32(a.v, N)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a, int n) { return {vshlq_s32(a.v, vdupq_n_s32(-n))}; }
[[gnu::always_inline]] inline Vec<std::int16_t> mul(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vmulq_s16(a.v, b.v)}; }
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_left(Vec<std::int16_t> a) {
  return {vshlq_n_s16(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_right(Vec<std::int16_t> a) {
  return {vshrq_n_s16(a.v, N)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> add_saturated(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {vqaddq_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> add_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {vqaddq_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> widen_lower(Vec<std::int8_t> a) { return {vmovl_s8(vget_low_s8(a.v))}; }
[[gnu::always_inline]] inline Vec<std::int16_t> widen_upper(Vec<std::int8_t> a) { return {vmovl_high_s8(a.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> widen_lower(Vec<std::int16_t> a) { return {vmovl_s16(vget_low_s16(a.v))}; }
[[gnu::always_inline]] inline Vec<std::int32_t> widen_upper(Vec<std::int16_t> a) { return {vmovl_high_s16(a.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {vqmovn_high_s32(vqmovn_s32(a.v), b.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {vqmovn_high_s16(vqmovn_s16(a.v), b.v)};
}
/// Parts byte by byte through memory of our own; whole vectors as they are.
template <class T>
[[gnu::always_inline]] inline Vec<T> load_first(const T* p, int n) {
  if (n >= Vec<T>::kLanes) return load(p);
  T lanes[Vec<T>::kLanes] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
template <class T>
[[gnu::always_inline]] inline void store_first(T* p, Vec<T> a, int n) {
  if (n >= Vec<T>::kLanes) return store(p, a);
  T lanes[Vec<T>::kLanes];
  store(lanes, a);
  for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
template <class To, class From>
Vec<To> load_as(const From* p);
template <>
[[gnu::always_inline]] inline Vec<std::int16_t> load_as(const std::int8_t* p) {
  return {vmovl_s8(vld1_s8(p))};
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int8_t* p) {
  return widen_lower(widen_lower(load_first(p, 4)));
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int16_t* p) {
  return {vmovl_s16(vld1_s16(p))};
}
[[gnu::always_inline]] inline Vec<std::int32_t> dot_pairs(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {vpaddq_s32(vmull_s16(vget_low_s16(a.v), vget_low_s16(b.v)), vmull_high_s16(a.v, b.v))};
}
[[gnu::always_inline]] inline Vec<std::int16_t> dot_pairs_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  const auto even = [](int8x16_t x) { return vreinterpretq_s16_s8(vtrn1q_s8(x, vdupq_n_s8(0))); };
  const auto odd = [](int8x16_t x) { return vreinterpretq_s16_s8(vtrn2q_s8(x, vdupq_n_s8(0))); };
  const int16x8_t low = vmulq_s16(even(a.v), vshrq_n_s16(vshlq_n_s16(even(b.v), 8), 8));
  const int16x8_t high = vmulq_s16(odd(a.v), vshrq_n_s16(vreinterpretq_s16_s8(b.v), 8));
  return {vqaddq_s16(low, high)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> c, Vec<std::int32_t> d) {
  return narrow(narrow(a, b), narrow(c, d));
}
[[gnu::always_inline]] inline Vec<std::int32_t> to_int32(Vec<float> a) { return {vcvtnq_s32_f32(a.v)}; }
[[gnu::always_inline]] inline Vec<float> to_float(Vec<std::int32_t> a) { return {vcvtq_f32_s32(a.v)}; }
/// In four tables of 64; where an index lies outside of one, vqtbx leaves what the others found.
[[gnu::always_inline]] inline Vec<std::int8_t> look_up(Vec<std::int8_t> a, const std::int8_t* table) {
  const auto quarter = [&](int i) { return vld1q_s8_x4(table + 64 * i); };
  const uint8x16_t index = bits_of(a), step = vdupq_n_u8(64), second = vsubq_u8(index, step), third = vsubq_u8(second, step);
  int8x16_t found = vqtbl4q_s8(quarter(0), index);
  found = vqtbx4q_s8(found, quarter(1), second);
  found = vqtbx4q_s8(found, quarter(2), third);
  return {vqtbx4q_s8(found, quarter(3), vsubq_u8(third, step))};
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
