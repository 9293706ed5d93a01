// AVX2 and FMA: 32 bytes, 16 vector registers. The operations mean what vec.hpp says.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "simd/pieces_x86.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr bool kMasks = false;
constexpr int kRegisters = 16;
constexpr bool kFusedMultiplyAdd = true;

template <class T>
struct Vec {
  static constexpr int kLanes = 32 / static_cast<int>(sizeof(T));
  __m256i v;
};
template <>
struct Vec<float> {
  static constexpr int kLanes = 8;
  __m256 v;
};

[[gnu::always_inline]] inline Vec<float> load(const float* p) { return {_mm256_loadu_ps(p)}; }
[[gnu::always_inline]] inline void store(float* p, Vec<float> a) { _mm256_storeu_ps(p, a.v); }
[[gnu::always_inline]] inline void store_nontemporal(float* p, Vec<float> a) { _mm256_stream_ps(p, a.v); }
[[gnu::always_inline]] inline void fence_nontemporal() { _mm_sfence(); }
[[gnu::always_inline]] inline Vec<float> load_first(const float* p, int n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return {_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane))};
}
// Pieces of 4, 2 and 1: a masked store is microcode on AMD processors.
[[gnu::always_inline]] inline void store_first(float* p, Vec<float> a, int n) {
  __m128 part = _mm256_castps256_ps128(a.v);
  if ((n & 8) != 0) return store(p, a);
  if ((n & 4) != 0) {
    _mm_storeu_ps(p, part);
    part = _mm256_extractf128_ps(a.v, 1);
    p += 4;
  }
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
    part = _mm_movehl_ps(part, part);
    p += 2;
  }
  if ((n & 1) != 0) _mm_store_ss(p, part);
}
/// Keeps the compiler from loading a value once more for each use.
[[gnu::always_inline]] inline Vec<float> in_register(Vec<float> a) {
  asm("" : "+x"(a.v));
  return a;
}
[[gnu::always_inline]] inline Vec<float> broadcast(float x) { return {_mm256_set1_ps(x)}; }
[[gnu::always_inline]] inline Vec<float> add(Vec<float> a, Vec<float> b) { return {_mm256_add_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> sub(Vec<float> a, Vec<float> b) { return {_mm256_sub_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> mul(Vec<float> a, Vec<float> b) { return {_mm256_mul_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> div(Vec<float> a, Vec<float> b) { return {_mm256_div_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  if constexpr (kUnfused) return add(mul(a, b), c);
  return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
/// fma in the register of c. GCC may take that of a or b instead, and then moves accumulators of unrolled loops, or spills them.
[[gnu::always_inline]] inline Vec<float> fma_in_place(Vec<float> a, Vec<float> b, Vec<float> c) {
  if constexpr (kUnfused) return fma(a, b, c);
  asm("vfmadd231ps %2, %1, %0" : "+x"(c.v) : "x"(a.v), "x"(b.v));
  return c;
}
[[gnu::always_inline]] inline Vec<float> sqrt(Vec<float> a) { return {_mm256_sqrt_ps(a.v)}; }
[[gnu::always_inline]] inline Vec<float> max_or_second(Vec<float> a, Vec<float> b) { return {_mm256_max_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> min_or_second(Vec<float> a, Vec<float> b) { return {_mm256_min_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<float> abs(Vec<float> a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0F), a.v)}; }
[[gnu::always_inline]] inline Vec<float> round(Vec<float> a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
[[gnu::always_inline]] inline Vec<float> select_less(Vec<float> a, Vec<float> b, Vec<float> x, Vec<float> y) {
  return {_mm256_blendv_ps(y.v, x.v, _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ))};
}
[[gnu::always_inline]] inline Vec<float> select_nan(Vec<float> a, Vec<float> x, Vec<float> y) {
  return {_mm256_blendv_ps(y.v, x.v, _mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q))};
}
[[gnu::always_inline]] inline Vec<float> maximum(Vec<float> a, Vec<float> b) { return select_nan(a, a, max_or_second(a, b)); }
[[gnu::always_inline]] inline Vec<float> minimum(Vec<float> a, Vec<float> b) { return select_nan(a, a, min_or_second(a, b)); }
[[gnu::always_inline]] inline Vec<float> copy_sign(Vec<float> magnitude, Vec<float> s) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  return {_mm256_or_ps(_mm256_andnot_ps(sign, magnitude.v), _mm256_and_ps(sign, s.v))};
}

template <class T>
[[gnu::always_inline]] inline Vec<T> load(const T* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
template <class T>
[[gnu::always_inline]] inline void store(T* p, Vec<T> a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> load_first(const T* p, int n) {
  const auto* from = reinterpret_cast<const char*>(p);
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
  if (bytes < 16) return {_mm256_zextsi128_si256(load_bytes_16(from, bytes))};
  return {_mm256_set_m128i(load_bytes_16(from + 16, bytes - 16), load_bytes_16(from, 16))};
}
template <class T>
[[gnu::always_inline]] inline void store_first(T* p, Vec<T> a, int n) {
  auto* to = reinterpret_cast<char*>(p);
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
  store_bytes_16(to, _mm256_castsi256_si128(a.v), bytes);
  if (bytes > 16) store_bytes_16(to + 16, _mm256_extracti128_si256(a.v, 1), bytes - 16);
}
[[gnu::always_inline]] inline Vec<std::int32_t> broadcast(std::int32_t x) { return {_mm256_set1_epi32(x)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> broadcast(std::int16_t x) { return {_mm256_set1_epi16(x)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> broadcast(std::int8_t x) { return {_mm256_set1_epi8(x)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> add(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm256_add_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> sub(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm256_sub_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> add(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm256_add_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> sub(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm256_sub_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> add(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm256_add_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> sub(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm256_sub_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> mul(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> mul(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm256_mullo_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> add_saturated(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm256_adds_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> add_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {_mm256_adds_epi8(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> dot_pairs(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm256_madd_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> dot_pairs_saturated(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {_mm256_maddubs_epi16(a.v, b.v)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> maximum(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm256_max_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int32_t> minimum(Vec<std::int32_t> a, Vec<std::int32_t> b) { return {_mm256_min_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> maximum(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm256_max_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int16_t> minimum(Vec<std::int16_t> a, Vec<std::int16_t> b) { return {_mm256_min_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> maximum(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm256_max_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline Vec<std::int8_t> minimum(Vec<std::int8_t> a, Vec<std::int8_t> b) { return {_mm256_min_epi8(a.v, b.v)}; }
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_and(Vec<T> a, Vec<T> b) {
  return {_mm256_and_si256(a.v, b.v)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_or(Vec<T> a, Vec<T> b) {
  return {_mm256_or_si256(a.v, b.v)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> bit_xor(Vec<T> a, Vec<T> b) {
  return {_mm256_xor_si256(a.v, b.v)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_left(Vec<std::int32_t> a) {
  return {_mm256_slli_epi32(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a) {
  return {_mm256_srai_epi32(a.v, N)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> shift_right(Vec<std::int32_t> a, int n) {
  return {_mm256_sra_epi32(a.v, _mm_cvtsi32_si128(n))};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_left(Vec<std::int16_t> a) {
  return {_mm256_slli_epi16(a.v, N)};
}
template <int N>
[[gnu::always_inline]] inline Vec<std::int16_t> shift_right(Vec<std::int16_t> a) {
  return {_mm256_srai_epi16(a.v, N)};
}
template <class T>
[[gnu::always_inline]] inline Vec<T> select(__m256i mask, Vec<T> x, Vec<T> y) {
  return {_mm256_blendv_epi8(y.v, x.v, mask)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> select_less(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                            Vec<std::int32_t> y) {
  return select(_mm256_cmpgt_epi32(b.v, a.v), x, y);
}
[[gnu::always_inline]] inline bool any_less(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return _mm256_movemask_epi8(_mm256_cmpgt_epi32(b.v, a.v)) != 0;
}
[[gnu::always_inline]] inline Vec<std::int32_t> select_equal(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> x,
                                                             Vec<std::int32_t> y) {
  return select(_mm256_cmpeq_epi32(a.v, b.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int16_t> select_less(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                            Vec<std::int16_t> y) {
  return select(_mm256_cmpgt_epi16(b.v, a.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int16_t> select_equal(Vec<std::int16_t> a, Vec<std::int16_t> b, Vec<std::int16_t> x,
                                                             Vec<std::int16_t> y) {
  return select(_mm256_cmpeq_epi16(a.v, b.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int8_t> select_less(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x, Vec<std::int8_t> y) {
  return select(_mm256_cmpgt_epi8(b.v, a.v), x, y);
}
[[gnu::always_inline]] inline Vec<std::int8_t> select_equal(Vec<std::int8_t> a, Vec<std::int8_t> b, Vec<std::int8_t> x,
                                                            Vec<std::int8_t> y) {
  return select(_mm256_cmpeq_epi8(a.v, b.v), x, y);
}
// Unpacking and packing work on each 128 bits.
[[gnu::always_inline]] inline Vec<std::int32_t> zip_lower(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi32(a.v, b.v), _mm256_unpackhi_epi32(a.v, b.v), 0x20)};
}
[[gnu::always_inline]] inline Vec<std::int32_t> zip_upper(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi32(a.v, b.v), _mm256_unpackhi_epi32(a.v, b.v), 0x31)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> zip_lower(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi16(a.v, b.v), _mm256_unpackhi_epi16(a.v, b.v), 0x20)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> zip_upper(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi16(a.v, b.v), _mm256_unpackhi_epi16(a.v, b.v), 0x31)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> zip_lower(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi8(a.v, b.v), _mm256_unpackhi_epi8(a.v, b.v), 0x20)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> zip_upper(Vec<std::int8_t> a, Vec<std::int8_t> b) {
  return {_mm256_permute2x128_si256(_mm256_unpacklo_epi8(a.v, b.v), _mm256_unpackhi_epi8(a.v, b.v), 0x31)};
}
[[gnu::always_inline]] inline Vec<std::int16_t> widen_lower(Vec<std::int8_t> a) {
  return {_mm256_cvtepi8_epi16(_mm256_castsi256_si128(a.v))};
}
[[gnu::always_inline]] inline Vec<std::int16_t> widen_upper(Vec<std::int8_t> a) {
  return {_mm256_cvtepi8_epi16(_mm256_extracti128_si256(a.v, 1))};
}
[[gnu::always_inline]] inline Vec<std::int32_t> widen_lower(Vec<std::int16_t> a) {
  return {_mm256_cvtepi16_epi32(_mm256_castsi256_si128(a.v))};
}
[[gnu::always_inline]] inline Vec<std::int32_t> widen_upper(Vec<std::int16_t> a) {
  return {_mm256_cvtepi16_epi32(_mm256_extracti128_si256(a.v, 1))};
}
template <class To, class From>
Vec<To> load_as(const From* p);
template <>
[[gnu::always_inline]] inline Vec<std::int16_t> load_as(const std::int8_t* p) {
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int8_t* p) {
  return {_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
template <>
[[gnu::always_inline]] inline Vec<std::int32_t> load_as(const std::int16_t* p) {
  return {_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
[[gnu::always_inline]] inline Vec<std::int16_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b) {
  return {_mm256_permute4x64_epi64(_mm256_packs_epi32(a.v, b.v), 0xD8)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int16_t> a, Vec<std::int16_t> b) {
  return {_mm256_permute4x64_epi64(_mm256_packs_epi16(a.v, b.v), 0xD8)};
}
[[gnu::always_inline]] inline Vec<std::int8_t> narrow(Vec<std::int32_t> a, Vec<std::int32_t> b, Vec<std::int32_t> c, Vec<std::int32_t> d) {
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(a.v, b.v), _mm256_packs_epi32(c.v, d.v));
  return {_mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))};
}
[[gnu::always_inline]] inline Vec<std::int32_t> to_int32(Vec<float> a) { return {_mm256_cvtps_epi32(a.v)}; }
[[gnu::always_inline]] inline Vec<float> to_float(Vec<std::int32_t> a) { return {_mm256_cvtepi32_ps(a.v)}; }

/// Sixteen rows of the table by the low four bits, and of these the one that the high four bits name. A blend looks at bit 7 of
/// each byte, to which a shift brings the bit that decides.
[[gnu::always_inline]] inline Vec<std::int8_t> look_up(Vec<std::int8_t> a, const std::int8_t* table) {
  const __m256i low = _mm256_and_si256(a.v, _mm256_set1_epi8(15));
  const __m256i bit4 = _mm256_slli_epi16(a.v, 3), bit5 = _mm256_slli_epi16(a.v, 2), bit6 = _mm256_slli_epi16(a.v, 1);
  const auto row = [&](int i) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * i))), low);
  };
  const auto two = [&](int i) { return _mm256_blendv_epi8(row(i), row(i + 1), bit4); };
  const auto four = [&](int i) { return _mm256_blendv_epi8(two(i), two(i + 2), bit5); };
  const auto eight = [&](int i) { return _mm256_blendv_epi8(four(i), four(i + 4), bit6); };
  return {_mm256_blendv_epi8(eight(0), eight(8), a.v)};
}

template <class T>
[[gnu::always_inline]] inline __m256i bits_of(Vec<T> a) {
  return a.v;
}
template <>
[[gnu::always_inline]] inline __m256i bits_of(Vec<float> a) {
  return _mm256_castps_si256(a.v);
}
template <class T>
[[gnu::always_inline]] inline Vec<T> from_bits(__m256i bits) {
  return {bits};
}
template <>
[[gnu::always_inline]] inline Vec<float> from_bits(__m256i bits) {
  return {_mm256_castsi256_ps(bits)};
}
template <class To, class From>
[[gnu::always_inline]] inline Vec<To> reinterpret(Vec<From> a) {
  return from_bits<To>(bits_of(a));
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE

#include "simd/order_avx2.hpp"
