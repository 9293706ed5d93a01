// AVX-512: 64 bytes, 32 vector registers, mask registers. The operations mean what vec.hpp says.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "simd/lanes.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr bool kMasks = true;
constexpr int kRegisters = 32;
constexpr bool kFusedMultiplyAdd = true;

template <class T>
struct Vec {
  static constexpr int kLanes = 64 / static_cast<int>(sizeof(T));
  __m512i v;
};
template <>
struct Vec<float> {
  static constexpr int kLanes = 16;
  __m512 v;
};

[[gnu::always_inline]] inline Vec<float> load(const float* p) { return {_mm512_loadu_ps(p)}; }
[[gnu::always_inline]] inline void store(float* p, Vec<float> a) { _mm512_storeu_ps(p, a.v); }
[[gnu::always_inline]] inline void store_nontemporal(float* p, Vec<float> a) { _mm512_stream_ps(p, a.v); }
[[gnu::always_inline]] inline void fence_nontemporal() { _mm_sfence(); }
[[gnu::always_inline]] inline __mmask16 first_mask(int n) { return static_cast<__mmask16>((1U << n) - 1U); }
[[gnu::always_inline]] inline Vec<float> load_first(const float* p, int n) { return {_mm512_maskz_loadu_ps(first_mask(n), p)}; }
[[gnu::always_inline]] inline void store_first(float* p, Vec<float> a, int n) { _mm512_mask_storeu_ps(p, first_mask(n), a.v); }
/// Keeps the compiler from loading a value once more for each use.
[[gnu::always_inline]] inline Vec<float> in_register(Vec<float> a) {
  asm("" : "+v"(a.v));
  return a;
}
[[gnu::always_inline]] inline Vec<float> broadcast(float x) { return {_mm512_set1_ps(x)}; }
[[gnu::always_inline]] inline Vec<float> add(Vec<float> a, Vec<float> b) { return {_mm512_add_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> sub(Vec<float> a, Vec<float> b) { return {_mm512_sub_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> mul(Vec<float> a, Vec<float> b) { return {_mm512_mul_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> div(Vec<float> a, Vec<float> b) { return {_mm512_div_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  if constexpr (kUnfused) return add(mul(a, b), c);
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
[[gnu::always_inline]] inline Vec<float> sqrt(Vec<float> a) { return {_mm512_sqrt_ps(a.v)}; }
[[gnu::always_inline]] inline Vec<float> max_or_second(Vec<float> a, Vec<float> b) { return {_mm512_max_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> min_or_second(Vec<float> a, Vec<float> b) { return {_mm512_min_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> abs(Vec<float> a) { return {_mm512_abs_ps(a.v)}; }
[[gnu::always_inline]] inline Vec<float> round(Vec<float> a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
[[gnu::always_inline]] inline Vec<float> select_less(Vec<float> a, Vec<float> b, Vec<float> x, Vec<float> y) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), y.v, x.v)};
}
[[gnu::always_inline]] inline Vec<float> times_exp2(Vec<float> a, Vec<float> n) { return {_mm512_scalef_ps(a.v, n.v)}; }
[[gnu::always_inline]] inline __mmask16 not_nan(Vec<float> a) { return _mm512_cmp_ps_mask(a.v, a.v, _CMP_ORD_Q); }
[[gnu::always_inline]] inline Vec<float> maximum(Vec<float> a, Vec<float> b) { return {_mm512_mask_max_ps(a.v, not_nan(a), a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> minimum(Vec<float> a, Vec<float> b) { return {_mm512_mask_min_ps(a.v, not_nan(a), a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> copy_sign(Vec<float> magnitude, Vec<float> s) {
  const __m512 sign = _mm512_set1_ps(-0.0F);
  return {_mm512_or_ps(_mm512_andnot_ps(sign, magnitude.v), _mm512_and_ps(sign, s.v))};
}
[[gnu::always_inline]] inline Vec<float> permute(Vec<float> a, const std::int32_t* index) {
  return {_mm512_permutexvar_ps(_mm512_loadu_si512(index), a.v)};
}
[[gnu::always_inline]] inline Vec<float> zip_lower(Vec<float> a, Vec<float> b) {
  return {_mm512_permutex2var_ps(a.v, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b.v)};
}
[[gnu::always_inline]] inline Vec<float> zip_upper(Vec<float> a, Vec<float> b) {
  return {_mm512_permutex2var_ps(a.v, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b.v)};
}
[[gnu::always_inline]] inline Vec<float> even_lanes(Vec<float> a, Vec<float> b) {
  return {_mm512_permutex2var_ps(a.v, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b.v)};
}
[[gnu::always_inline]] inline Vec<float> odd_lanes(Vec<float> a, Vec<float> b) {
  return {_mm512_permutex2var_ps(a.v, _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), b.v)};
}

template <class T>
[[gnu::always_inline]] inline Vec<T> load(const T* p) {
  return {_mm512_loadu_si512(p)};
}
template <class T>
[[gnu::always_inline]] inline void store(T* p, Vec<T> a) {
  _mm512_storeu_si512(p, a.v);
}
/// A bit for each of the first n bytes.
[[gnu::always_inline]] inline __mmask64 first_bytes(std::uint64_t n) { return n < 64 ? (std::uint64_t{1} << n) - 1U : ~std::uint64_t{0}; }
template <class T>
[[gnu::always_inline]] inline Vec<T> load_first(const T* p, int n) {
  return {_mm512_maskz_loadu_epi8(first_bytes(static_cast<std::uint64_t>(n) * sizeof(T)), p)};
}
template <class T>
[[gnu::always_inline]] inline void store_first(T* p, Vec<T> a, int n) {
  _mm512_mask_storeu_epi8(p, first_bytes(static_cast<std::uint64_t>(n) * sizeof(T)), a.v);
}
[[gnu::always_inline]] inline Vec<std::int32_t> broadcast(std::int32_t x) { return {_mm512_set1_epi32(x)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> broadcast(std::int16_t x) { return {_mm512_set1_epi16(x)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> broadcast(std::int8_t x) { return {_mm512_set1_epi8(x)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> add(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm512_add_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> sub(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm512_sub_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> add(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm512_add_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> sub(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm512_sub_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> add(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm512_add_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> sub(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm512_sub_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> mul(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> mul(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm512_mullo_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> add_saturated(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm512_adds_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> add_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {_mm512_adds_epi8(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> dot_pairs(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm512_madd_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> dot_pairs_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {_mm512_maddubs_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> maximum(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm512_max_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> minimum(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm512_min_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> maximum(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm512_max_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> minimum(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm512_min_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> maximum(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm512_max_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> minimum(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm512_min_epi8(a.v, b.v)}; }
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_and(Vec<T> a, Vec<T> b) {
  return {_mm512_and_si512(a.v, b.v)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_or(Vec<T> a, Vec<T> b) {
  return {_mm512_or_si512(a.v, b.v)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_xor(Vec<T> a, Vec<T> b) {
  return {_mm512_xor_si512(a.v, b.v)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_left(Vec<std::int32_t> a) {
  return {_mm512_slli_epi32(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a) {
  return {_mm512_srai_epi32(a.v, N)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a, int n) {
  return {_mm512_sra_epi32(a.v, _mm_cvtsi32_si128(n))};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_left(Vec<std::int16_t> a) {
  return {_mm512_slli_epi16(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_right(Vec<std::int16_t> a) {
  return {_mm512_srai_epi16(a.v, N)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> select_less(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                            Vec<std::int32_t> y) {
  return {_mm512_mask_blend_epi32(_mm512_cmplt_epi32_mask(a.v, b.v), y.v, x.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> select_less(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                            Vec<std::int16_t> y) {
  return {_mm512_mask_blend_epi16(_mm512_cmplt_epi16_mask(a.v, b.v), y.v, x.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> select_less(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x, Vec<std::int8_t> y) {
  return {_mm512_mask_blend_epi8(_mm512_cmplt_epi8_mask(a.v, b.v), y.v, x.v)};
}
[[gnu::always_inline]] inline bool any_less(Vec<std::int32_t> a, Vec<std::int32_t> b) { return _mm512_cmplt_epi32_mask(a.v, b.v) != 0; }
[[gnu::always_inline]] inline Vec<std::int32_t> select_equal(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                             Vec<std::int32_t> y) {
  return {_mm512_mask_blend_epi32(_mm512_cmpeq_epi32_mask(a.v, b.v), y.v, x.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> select_equal(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                             Vec<std::int16_t> y) {
  return {_mm512_mask_blend_epi16(_mm512_cmpeq_epi16_mask(a.v, b.v), y.v, x.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> select_equal(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x,
                                                            Vec<std::int8_t> y) {
  return {_mm512_mask_blend_epi8(_mm512_cmpeq_epi8_mask(a.v, b.v), y.v, x.v)};
}

[[gnu::always_inline]] inline Vec<std::int32_t> zip_lower(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {_mm512_permutex2var_epi32(a.v, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b.v)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> zip_upper(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {_mm512_permutex2var_epi32(a.v, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b.v)};
}
/// What unpacking leaves in each 128 bits, in order: the lower halves of all lanes, and the upper ones.
[[gnu::always_inline]] inline __m512i lower_lanes(__m512i lo, __m512i hi) {
  return _mm512_permutex2var_epi64(lo, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), hi);
}
[[gnu::always_inline]] inline __m512i upper_lanes(__m512i lo, __m512i hi) {
  return _mm512_permutex2var_epi64(lo, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), hi);
}
[[gnu::always_inline]] inline Vec<std::int16_t> zip_lower(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {lower_lanes(_mm512_unpacklo_epi16(a.v, b.v), _mm512_unpackhi_epi16(a.v, b.v))};
}
[[gnu::always_inline]] inline Vec<std::int16_t> zip_upper(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {upper_lanes(_mm512_unpacklo_epi16(a.v, b.v), _mm512_unpackhi_epi16(a.v, b.v))};
}
[[gnu::always_inline]] inline Vec<std::int8_t> zip_lower(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {lower_lanes(_mm512_unpacklo_epi8(a.v, b.v), _mm512_unpackhi_epi8(a.v, b.v))};
}
[[gnu::always_inline]] inline Vec<std::int8_t> zip_upper(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {upper_lanes(_mm512_unpacklo_epi8(a.v, b.v), _mm512_unpackhi_epi8(a.v, b.v))};
}
[[gnu::always_inline]] inline __m256i lower_half(__m512i a) { return _mm512_castsi512_si256(a); }
[[gnu::always_inline]] inline __m256i upper_half(__m512i a) { return _mm512_extracti64x4_epi64(a, 1); }
[[gnu::always_inline]] inline Vec<std::int16_t> widen_lower(Vec<std::int8_t> a) { return {_mm512_cvtepi8_epi16(lower_half(a.v))}; }
[[gnu::always_inline]] inline Vec<std::int16_t> widen_upper(Vec<std::int8_t> a) { return {_mm512_cvtepi8_epi16(upper_half(a.v))}; }
[[gnu::always_inline]] inline Vec<std::int32_t> widen_lower(Vec<std::int16_t> a) { return {_mm512_cvtepi16_epi32(lower_half(a.v))}; }
[[gnu::always_inline]] inline Vec<std::int32_t> widen_upper(Vec<std::int16_t> a) { return {_mm512_cvtepi16_epi32(upper_half(a.v))}; }
template <class To, class From>
Vec<To> load_as(const From* p);
template <>
[[gnu::always_inline]] inline Vec<std::int16_t> load_as(const std::int8_t* p) {
  return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int8_t* p) {
  return {_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int16_t* p) {
  return {_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
// The packing instructions work on each 128 bits.
[[gnu::always_inline]] inline __m512i in_order(__m512i packed) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
}
[[gnu::always_inline]] inline Vec<std::int16_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {in_order(_mm512_packs_epi32(a.v, b.v))};
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {in_order(_mm512_packs_epi16(a.v, b.v))};
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> c, Vec<std::int32_t> d) {
  const __m512i packed = _mm512_packs_epi16(_mm512_packs_epi32(a.v, b.v), _mm512_packs_epi32(c.v, d.v));
  return {_mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), packed)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> to_int32(Vec<float> a) { return {_mm512_cvtps_epi32(a.v)}; }
[[gnu::always_inline]] inline Vec<float> to_float(Vec<std::int32_t> a) { return {_mm512_cvtepi32_ps(a.v)}; }

template <class T>
[[gnu::always_inline]] inline __m512i bits_of(Vec<T> a) {
  return a.v;
}
template <>
[[gnu::always_inline]] inline __m512i bits_of(Vec<float> a) {
  return _mm512_castps_si512(a.v);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> from_bits(__m512i bits) {
  return {bits};
}
template <>
[[gnu::always_inline]] inline Vec<float> from_bits(__m512i bits) {
  return {_mm512_castsi512_ps(bits)};
}
template <class To, class From>
[[gnu::always_inline]] inline Vec<To> reinterpret(Vec<From> a) {
  return from_bits<To>(bits_of(a));
}

[[gnu::always_inline]] inline __mmask16 mask_of(Lanes n) { return static_cast<__mmask16>(first_mask(n.last) & ~first_mask(n.first)); }
[[gnu::always_inline]] inline Vec<float> load_lanes(const float* p, Lanes n) { return {_mm512_maskz_loadu_ps(mask_of(n), p)}; }
[[gnu::always_inline]] inline void store_lanes(float* p, Vec<float> a, Lanes n) {
  n.first == 0 && n.last == Vec<float>::kLanes ? store(p, a) : _mm512_mask_storeu_ps(p, mask_of(n), a.v);
}
/// Lanes [first, first + kLanes) of the concatenation of lower and upper.
[[gnu::always_inline]] inline Vec<float> load_across(const float* lower, const float* upper, int first) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return {_mm512_permutex2var_ps(load(lower).v, _mm512_add_epi32(lane, _mm512_set1_epi32(first)), load(upper).v)};
}

// Half a vector, for panels of weights that end in so many columns.
constexpr bool kHalfPanels = true;
struct HalfVec {
  __m256 v;
};
[[gnu::always_inline]] inline HalfVec half_load(const float* p) { return {_mm256_loadu_ps(p)}; }
[[gnu::always_inline]] inline HalfVec half_load_first(const float* p, int n) {
  return {_mm256_maskz_loadu_ps(static_cast<__mmask8>(first_mask(n)), p)};
}
[[gnu::always_inline]] inline void half_store_first(float* p, HalfVec a, int n) {
  _mm256_mask_storeu_ps(p, static_cast<__mmask8>(first_mask(n)), a.v);
}
[[gnu::always_inline]] inline HalfVec lower_half(Vec<float> x) { return {_mm512_castps512_ps256(x.v)}; }
[[gnu::always_inline]] inline HalfVec half_add(HalfVec a, HalfVec b) { return {_mm256_add_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline HalfVec half_fma(HalfVec a, HalfVec b, HalfVec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
[[gnu::always_inline]] inline HalfVec half_max_or_second(HalfVec a, HalfVec b) { return {_mm256_max_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline HalfVec half_min_or_second(HalfVec a, HalfVec b) { return {_mm256_min_ps(a.v, b.v)}; }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
