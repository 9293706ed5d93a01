// AVX-512: 16 floats, 32 vector registers, mask registers. Says what the operations mean that all vec_*.hpp have.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "simd/lanes.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kLanes = 16;
constexpr bool kMasks = true;
constexpr int kRegisters = 32;
using Vec = __m512;

[[gnu::always_inline]] inline Vec load(const float* p) { return _mm512_loadu_ps(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
// To whole lines of memory that nobody reads soon; p is aligned to a vector.
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { _mm512_stream_ps(p, v); }
// Makes what was stored so visible to other threads before later stores.
[[gnu::always_inline]] inline void flush_past_caches() { _mm_sfence(); }
[[gnu::always_inline]] inline Vec broadcast(float x) { return _mm512_set1_ps(x); }
[[gnu::always_inline]] inline __mmask16 first_mask(int n) { return static_cast<__mmask16>((1U << n) - 1U); }
[[gnu::always_inline]] inline Vec load_first(const float* p, int n) { return _mm512_maskz_loadu_ps(first_mask(n), p); }
[[gnu::always_inline]] inline void store_first(float* p, Vec v, int n) { _mm512_mask_storeu_ps(p, first_mask(n), v); }
[[gnu::always_inline]] inline Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
[[gnu::always_inline]] inline Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
[[gnu::always_inline]] inline Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
[[gnu::always_inline]] inline Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
[[gnu::always_inline]] inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
[[gnu::always_inline]] inline Vec sqrt(Vec a) { return _mm512_sqrt_ps(a); }
// a > b ? a : b and a < b ? a : b: a NaN in b passes through.
[[gnu::always_inline]] inline Vec max_or_second(Vec a, Vec b) { return _mm512_max_ps(a, b); }
[[gnu::always_inline]] inline Vec min_or_second(Vec a, Vec b) { return _mm512_min_ps(a, b); }
[[gnu::always_inline]] inline Vec abs(Vec a) { return _mm512_abs_ps(a); }
[[gnu::always_inline]] inline Vec round(Vec a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
// 2^n for integral n in [-126, 127].
[[gnu::always_inline]] inline Vec exp2_integral(Vec n) {
  const __m512i e = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(e, 23));
}
// a < b ? x : y
[[gnu::always_inline]] inline Vec select_less(Vec a, Vec b, Vec x, Vec y) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
// The larger and the smaller; NaN if either is.
[[gnu::always_inline]] inline Vec maximum(Vec a, Vec b) { return _mm512_mask_max_ps(a, _mm512_cmp_ps_mask(a, a, _CMP_ORD_Q), a, b); }
[[gnu::always_inline]] inline Vec minimum(Vec a, Vec b) { return _mm512_mask_min_ps(a, _mm512_cmp_ps_mask(a, a, _CMP_ORD_Q), a, b); }
// |magnitude| with the sign of s
[[gnu::always_inline]] inline Vec copy_sign(Vec magnitude, Vec s) {
  const __m512 sign = _mm512_set1_ps(-0.0F);
  return _mm512_or_ps(_mm512_andnot_ps(sign, magnitude), _mm512_and_ps(sign, s));
}
// Lane i of the result is lane index[i] of v.
[[gnu::always_inline]] inline Vec permute(Vec v, const std::int32_t* index) { return _mm512_permutexvar_ps(_mm512_loadu_si512(index), v); }
// The lower halves of a and b lane by lane: a0 b0 a1 b1 ...; and the upper halves.
[[gnu::always_inline]] inline Vec zip_lower(Vec a, Vec b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b);
}
[[gnu::always_inline]] inline Vec zip_upper(Vec a, Vec b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b);
}

/// The first n <= kLanes lanes. Kernels call this where a row's channels may end; with mask registers a load needs no branch.
[[gnu::always_inline]] inline Vec load_up_to(const float* p, int n) { return load_first(p, n); }
[[gnu::always_inline]] inline void store_up_to(float* p, Vec v, int n) { return n < kLanes ? store_first(p, v, n) : store(p, v); }

[[gnu::always_inline]] inline __mmask16 mask_of(Lanes n) { return static_cast<__mmask16>(first_mask(n.last) & ~first_mask(n.first)); }
[[gnu::always_inline]] inline Vec load_lanes(const float* p, Lanes n) { return _mm512_maskz_loadu_ps(mask_of(n), p); }
[[gnu::always_inline]] inline void store_lanes(float* p, Vec v, Lanes n) {
  n.first == 0 && n.last == kLanes ? store(p, v) : _mm512_mask_storeu_ps(p, mask_of(n), v);
}
/// Lanes [first, first + kLanes) of lower and upper side by side.
[[gnu::always_inline]] inline Vec load_across(const float* lower, const float* upper, int first) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_permutex2var_ps(load(lower), _mm512_add_epi32(lane, _mm512_set1_epi32(first)), load(upper));
}

// Panels that end in half a vector of columns. Either a vector holds the half for two pixels, or half a vector does for one.
constexpr bool kHalfPanels = true;
/// The lower half of x and the upper half of y. A blend, not a masked broadcast: it leaves the load units alone.
[[gnu::always_inline]] inline Vec join_halves(Vec x, Vec y) { return _mm512_mask_blend_ps(0xFF00, x, y); }
/// The first n <= 8 floats at p and at q.
[[gnu::always_inline]] inline Vec load_halves(const float* p, const float* q, int n) {
  const __m512 lower = _mm512_maskz_loadu_ps(first_mask(n), p);
  return _mm512_mask_expandloadu_ps(lower, static_cast<__mmask16>(first_mask(n) << 8), q);
}
[[gnu::always_inline]] inline void store_lower(float* p, Vec v, int n) { _mm512_mask_storeu_ps(p, first_mask(n), v); }
[[gnu::always_inline]] inline void store_upper(float* p, Vec v, int n) { store_lower(p, _mm512_shuffle_f32x4(v, v, 0xEE), n); }

using HalfVec = __m256;
[[gnu::always_inline]] inline HalfVec half_load(const float* p) { return _mm256_loadu_ps(p); }
[[gnu::always_inline]] inline HalfVec half_load_first(const float* p, int n) {
  return _mm256_maskz_loadu_ps(static_cast<__mmask8>(first_mask(n)), p);
}
[[gnu::always_inline]] inline void half_store_first(float* p, HalfVec v, int n) {
  _mm256_mask_storeu_ps(p, static_cast<__mmask8>(first_mask(n)), v);
}
[[gnu::always_inline]] inline HalfVec lower_half(Vec x) { return _mm512_castps512_ps256(x); }
[[gnu::always_inline]] inline HalfVec half_add(HalfVec a, HalfVec b) { return _mm256_add_ps(a, b); }
[[gnu::always_inline]] inline HalfVec half_fma(HalfVec a, HalfVec b, HalfVec c) { return _mm256_fmadd_ps(a, b, c); }
[[gnu::always_inline]] inline HalfVec half_max_or_second(HalfVec a, HalfVec b) { return _mm256_max_ps(a, b); }
[[gnu::always_inline]] inline HalfVec half_min_or_second(HalfVec a, HalfVec b) { return _mm256_min_ps(a, b); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
