// The baseline of x86-64, SSE2: 16 bytes, 16 vector registers. fma rounds twice. The operations mean what vec.hpp says.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "simd/pieces_x86.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr bool kMasks = false;
constexpr int kRegisters = 16;
constexpr bool kFusedMultiplyAdd = false;

template <class T>
struct Vec {
  static constexpr int kLanes = 16 / static_cast<int>(sizeof(T));
  __m128i v;
};
template <>
struct Vec<float> {
  static constexpr int kLanes = 4;
  __m128 v;
};

[[gnu::always_inline]] inline Vec<float> load(const float* p) { return {_mm_loadu_ps(p)}; }
[[gnu::always_inline]] inline void store(float* p, Vec<float> a) { _mm_storeu_ps(p, a.v); }
[[gnu::always_inline]] inline void store_nontemporal(float* p, Vec<float> a) { _mm_stream_ps(p, a.v); }
[[gnu::always_inline]] inline void fence_nontemporal() { _mm_sfence(); }
/// Keeps the compiler from loading a value once more for each use.
[[gnu::always_inline]] inline Vec<float> in_register(Vec<float> a) {
  asm("" : "+x"(a.v));
  return a;
}
[[gnu::always_inline]] inline Vec<float> broadcast(float x) { return {_mm_set1_ps(x)}; }
[[gnu::always_inline]] inline Vec<float> load_first(const float* p, int n) {
  if (n >= 4) return load(p);
  if (n <= 1) return {n == 1 ? _mm_load_ss(p) : _mm_setzero_ps()};
  const __m128 low = _mm_loadl_pi(_mm_setzero_ps(), reinterpret_cast<const __m64*>(p));
  return {n == 2 ? low : _mm_movelh_ps(low, _mm_load_ss(p + 2))};
}
[[gnu::always_inline]] inline void store_first(float* p, Vec<float> a, int n) {
  if (n >= 4) return store(p, a);
  __m128 part = a.v;
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
    part = _mm_movehl_ps(part, part);
    p += 2;
  }
  if ((n & 1) != 0) _mm_store_ss(p, part);
}
[[gnu::always_inline]] inline Vec<float> add(Vec<float> a, Vec<float> b) { return {_mm_add_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> sub(Vec<float> a, Vec<float> b) { return {_mm_sub_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> mul(Vec<float> a, Vec<float> b) { return {_mm_mul_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> div(Vec<float> a, Vec<float> b) { return {_mm_div_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return add(mul(a, b), c); }
[[gnu::always_inline]] inline Vec<float> sqrt(Vec<float> a) { return {_mm_sqrt_ps(a.v)}; }
[[gnu::always_inline]] inline Vec<float> max_or_second(Vec<float> a, Vec<float> b) { return {_mm_max_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> min_or_second(Vec<float> a, Vec<float> b) { return {_mm_min_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> abs(Vec<float> a) { return {_mm_andnot_ps(_mm_set1_ps(-0.0F), a.v)}; }
[[gnu::always_inline]] inline Vec<float> round(Vec<float> a) { return {_mm_cvtepi32_ps(_mm_cvtps_epi32(a.v))}; }
[[gnu::always_inline]] inline Vec<float> select(__m128 mask, Vec<float> x, Vec<float> y) {
  return {_mm_or_ps(_mm_and_ps(mask, x.v), _mm_andnot_ps(mask, y.v))};
}
[[gnu::always_inline]] inline Vec<float> select_less(Vec<float> a, Vec<float> b, Vec<float> x, Vec<float> y) {
  return select(_mm_cmplt_ps(a.v, b.v), x, y);
}
[[gnu::always_inline]] inline Vec<float> maximum(Vec<float> a, Vec<float> b) {
  return select(_mm_cmpunord_ps(a.v, a.v), a, max_or_second(a, b));
}
[[gnu::always_inline]] inline Vec<float> minimum(Vec<float> a, Vec<float> b) {
  return select(_mm_cmpunord_ps(a.v, a.v), a, min_or_second(a, b));
}
[[gnu::always_inline]] inline Vec<float> copy_sign(Vec<float> magnitude, Vec<float> s) { return select(_mm_set1_ps(-0.0F), s, magnitude); }
[[gnu::always_inline]] inline Vec<float> permute(Vec<float> a, const std::int32_t* index) {
  alignas(16) float lanes[4];
  _mm_store_ps(lanes, a.v);
  return {_mm_setr_ps(lanes[index[0]], lanes[index[1]], lanes[index[2]], lanes[index[3]])};
}
[[gnu::always_inline]] inline Vec<float> zip_lower(Vec<float> a, Vec<float> b) { return {_mm_unpacklo_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> zip_upper(Vec<float> a, Vec<float> b) { return {_mm_unpackhi_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> even_lanes(Vec<float> a, Vec<float> b) { return {_mm_shuffle_ps(a.v, b.v, 0x88)}; }
[[gnu::always_inline]] inline Vec<float> odd_lanes(Vec<float> a, Vec<float> b) { return {_mm_shuffle_ps(a.v, b.v, 0xDD)}; }

template <class T>
[[gnu::always_inline]] inline Vec<T> load(const T* p) {
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
}
template <class T>
[[gnu::always_inline]] inline void store(T* p, Vec<T> a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a.v);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> load_first(const T* p, int n) {
  return {load_bytes_16(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n) * sizeof(T))};
}
template <class T>
[[gnu::always_inline]] inline void store_first(T* p, Vec<T> a, int n) {
  store_bytes_16(reinterpret_cast<char*>(p), a.v, static_cast<std::size_t>(n) * sizeof(T));
}
[[gnu::always_inline]] inline Vec<std::int32_t> broadcast(std::int32_t x) { return {_mm_set1_epi32(x)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> broadcast(std::int16_t x) { return {_mm_set1_epi16(x)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> broadcast(std::int8_t x) { return {_mm_set1_epi8(x)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> add(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm_add_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> sub(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm_sub_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> add(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm_add_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> sub(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm_sub_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> add(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm_add_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> sub(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm_sub_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> mul(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  const __m128i even = _mm_mul_epu32(a.v, b.v), odd = _mm_mul_epu32(_mm_srli_epi64(a.v, 32), _mm_srli_epi64(b.v, 32));
  return {_mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08))};
}
[[gnu::always_inline]] inline Vec<std::int16_t> mul(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm_mullo_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> add_saturated(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm_adds_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> add_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm_adds_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> dot_pairs(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm_madd_epi16(a.v, b.v)}; }
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_and(Vec<T> a, Vec<T> b) {
  return {_mm_and_si128(a.v, b.v)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_or(Vec<T> a, Vec<T> b) {
  return {_mm_or_si128(a.v, b.v)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_xor(Vec<T> a, Vec<T> b) {
  return {_mm_xor_si128(a.v, b.v)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_left(Vec<std::int32_t> a) {
  return {_mm_slli_epi32(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a) {
  return {_mm_srai_epi32(a.v, N)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a, int n) {
  return {_mm_sra_epi32(a.v, _mm_cvtsi32_si128(n))};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_left(Vec<std::int16_t> a) {
  return {_mm_slli_epi16(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_right(Vec<std::int16_t> a) {
  return {_mm_srai_epi16(a.v, N)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> select(__m128i mask, Vec<T> x, Vec<T> y) {
  return {_mm_or_si128(_mm_and_si128(mask, x.v), _mm_andnot_si128(mask, y.v))};
}
[[gnu::always_inline]] inline Vec<std::int32_t> select_less(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                            Vec<std::int32_t> y) {
  return select(_mm_cmpgt_epi32(b.v, a.v), x, y);
}
[[gnu::always_inline]] inline bool any_less(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return _mm_movemask_epi8(_mm_cmplt_epi32(a.v, b.v)) != 0;
}
[[gnu::always_inline]] inline Vec<std::int32_t> select_equal(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                             Vec<std::int32_t> y) {
  return select(_mm_cmpeq_epi32(a.v, b.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int16_t> select_less(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                            Vec<std::int16_t> y) {
  return select(_mm_cmpgt_epi16(b.v, a.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int16_t> select_equal(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                             Vec<std::int16_t> y) {
  return select(_mm_cmpeq_epi16(a.v, b.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int8_t> select_less(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x, Vec<std::int8_t> y) {
  return select(_mm_cmpgt_epi8(b.v, a.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int8_t> select_equal(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x,
                                                            Vec<std::int8_t> y) {
  return select(_mm_cmpeq_epi8(a.v, b.v), x, y);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> maximum(Vec<T> a, Vec<T> b) {
  return select_less(a, b, b, a);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> minimum(Vec<T> a, Vec<T> b) {
  return select_less(a, b, a, b);
}
[[gnu::always_inline]] inline Vec<std::int32_t> zip_lower(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {_mm_unpacklo_epi32(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> zip_upper(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {_mm_unpackhi_epi32(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> zip_lower(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm_unpacklo_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> zip_upper(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm_unpackhi_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> zip_lower(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm_unpacklo_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> zip_upper(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm_unpackhi_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> widen_lower(Vec<std::int8_t> a) { return {_mm_srai_epi16(_mm_unpacklo_epi8(a.v, a.v), 8)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> widen_upper(Vec<std::int8_t> a) { return {_mm_srai_epi16(_mm_unpackhi_epi8(a.v, a.v), 8)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> widen_lower(Vec<std::int16_t> a) {
  return {_mm_srai_epi32(_mm_unpacklo_epi16(a.v, a.v), 16)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> widen_upper(Vec<std::int16_t> a) {
  return {_mm_srai_epi32(_mm_unpackhi_epi16(a.v, a.v), 16)};
}
template <class To, class From>
Vec<To> load_as(const From* p);
template <>
[[gnu::always_inline]] inline Vec<std::int16_t> load_as(const std::int8_t* p) {
  return widen_lower(Vec<std::int8_t>{_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))});
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int8_t* p) {
  return widen_lower(widen_lower(load_first(p, 4)));
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int16_t* p) {
  return widen_lower(Vec<std::int16_t>{_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))});
}
[[gnu::always_inline]] inline Vec<std::int16_t> dot_pairs_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  const __m128i even = _mm_mullo_epi16(_mm_and_si128(a.v, _mm_set1_epi16(0xFF)), _mm_srai_epi16(_mm_slli_epi16(b.v, 8), 8));
  const __m128i odd = _mm_mullo_epi16(_mm_srli_epi16(a.v, 8), _mm_srai_epi16(b.v, 8));
  return {_mm_adds_epi16(even, odd)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm_packs_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm_packs_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> c, Vec<std::int32_t> d) {
  return narrow(narrow(a, b), narrow(c, d));
}
[[gnu::always_inline]] inline Vec<std::int32_t> to_int32(Vec<float> a) { return {_mm_cvtps_epi32(a.v)}; }
[[gnu::always_inline]] inline Vec<float> to_float(Vec<std::int32_t> a) { return {_mm_cvtepi32_ps(a.v)}; }
/// One by one: a shuffle of bytes came with SSSE3.
[[gnu::always_inline]] inline Vec<std::int8_t> look_up(Vec<std::int8_t> a, const std::int8_t* table) {
  alignas(16) std::int8_t lanes[16];
  store(lanes, a);
  for (std::int8_t& lane : lanes) lane = table[static_cast<std::uint8_t>(lane)];
  return load(lanes);
}

template <class T>
[[gnu::always_inline]] inline __m128i bits_of(Vec<T> a) {
  return a.v;
}
template <>
[[gnu::always_inline]] inline __m128i bits_of(Vec<float> a) {
  return _mm_castps_si128(a.v);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> from_bits(__m128i bits) {
  return {bits};
}
template <>
[[gnu::always_inline]] inline Vec<float> from_bits(__m128i bits) {
  return {_mm_castsi128_ps(bits)};
}
template <class To, class From>
[[gnu::always_inline]] inline Vec<To> reinterpret(Vec<From> a) {
  return from_bits<To>(bits_of(a));
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
