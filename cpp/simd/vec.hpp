// One vector of floats, as wide as the instruction set that this file is compiled for, and the operations the kernels need.
//
// Every operation rounds once, so results do not depend on the width; fma is a true fused multiply-add wherever the hardware has
// one (not on plain x86-64). Included by cpp/isa/*.cc only, inside their namespaces' compilation: nothing here has external linkage.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace dwsep::DWSEP_ISA_NAMESPACE {

#if defined(__AVX512F__)

constexpr int kLanes = 16;
constexpr bool kMasks = true;
constexpr int kRegisters = 32;
using Vec = __m512;

[[gnu::always_inline]] inline Vec load(const float* p) { return _mm512_loadu_ps(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
// To whole lines of memory that nobody reads soon; p is aligned to a vector.
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { _mm512_stream_ps(p, v); }
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

#elif defined(__AVX2__)

constexpr int kLanes = 8;
constexpr bool kMasks = false;
constexpr int kRegisters = 16;
using Vec = __m256;

[[gnu::always_inline]] inline Vec load(const float* p) { return _mm256_loadu_ps(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { _mm256_stream_ps(p, v); }
[[gnu::always_inline]] inline Vec broadcast(float x) { return _mm256_set1_ps(x); }
[[gnu::always_inline]] inline Vec load_first(const float* p, int n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
}
// Pieces of 4, 2 and 1: a masked store is microcode on AMD processors.
[[gnu::always_inline]] inline void store_first(float* p, Vec v, int n) {
  __m128 part = _mm256_castps256_ps128(v);
  if ((n & 8) != 0) return store(p, v);
  if ((n & 4) != 0) {
    _mm_storeu_ps(p, part);
    part = _mm256_extractf128_ps(v, 1);
    p += 4;
  }
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
    part = _mm_movehl_ps(part, part);
    p += 2;
  }
  if ((n & 1) != 0) _mm_store_ss(p, part);
}
[[gnu::always_inline]] inline Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
[[gnu::always_inline]] inline Vec sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
[[gnu::always_inline]] inline Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
[[gnu::always_inline]] inline Vec div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
[[gnu::always_inline]] inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
[[gnu::always_inline]] inline Vec sqrt(Vec a) { return _mm256_sqrt_ps(a); }
[[gnu::always_inline]] inline Vec max_or_second(Vec a, Vec b) { return _mm256_max_ps(a, b); }
[[gnu::always_inline]] inline Vec min_or_second(Vec a, Vec b) { return _mm256_min_ps(a, b); }
[[gnu::always_inline]] inline Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
[[gnu::always_inline]] inline Vec round(Vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
[[gnu::always_inline]] inline Vec exp2_integral(Vec n) {
  const __m256i e = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(e, 23));
}
[[gnu::always_inline]] inline Vec select_less(Vec a, Vec b, Vec x, Vec y) {
  return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
[[gnu::always_inline]] inline Vec select_nan(Vec a, Vec x, Vec y) { return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, a, _CMP_UNORD_Q)); }
[[gnu::always_inline]] inline Vec maximum(Vec a, Vec b) { return select_nan(a, a, max_or_second(a, b)); }
[[gnu::always_inline]] inline Vec minimum(Vec a, Vec b) { return select_nan(a, a, min_or_second(a, b)); }
[[gnu::always_inline]] inline Vec copy_sign(Vec magnitude, Vec s) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  return _mm256_or_ps(_mm256_andnot_ps(sign, magnitude), _mm256_and_ps(sign, s));
}
[[gnu::always_inline]] inline Vec permute(Vec v, const std::int32_t* index) {
  return _mm256_permutevar8x32_ps(v, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index)));
}
[[gnu::always_inline]] inline Vec zip_lower(Vec a, Vec b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
}
[[gnu::always_inline]] inline Vec zip_upper(Vec a, Vec b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
}

#elif defined(__x86_64__)

constexpr int kLanes = 4;
constexpr bool kMasks = false;
constexpr int kRegisters = 16;
using Vec = __m128;

[[gnu::always_inline]] inline Vec load(const float* p) { return _mm_loadu_ps(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { _mm_storeu_ps(p, v); }
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { _mm_stream_ps(p, v); }
[[gnu::always_inline]] inline Vec broadcast(float x) { return _mm_set1_ps(x); }
[[gnu::always_inline]] inline Vec load_first(const float* p, int n) {
  if (n >= 4) return load(p);
  if (n == 1) return _mm_load_ss(p);
  const __m128 low = _mm_loadl_pi(_mm_setzero_ps(), reinterpret_cast<const __m64*>(p));
  return n == 2 ? low : _mm_movelh_ps(low, _mm_load_ss(p + 2));
}
[[gnu::always_inline]] inline void store_first(float* p, Vec v, int n) {
  if (n >= 4) return store(p, v);
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), v);
    v = _mm_movehl_ps(v, v);
    p += 2;
  }
  if ((n & 1) != 0) _mm_store_ss(p, v);
}
[[gnu::always_inline]] inline Vec add(Vec a, Vec b) { return _mm_add_ps(a, b); }
[[gnu::always_inline]] inline Vec sub(Vec a, Vec b) { return _mm_sub_ps(a, b); }
[[gnu::always_inline]] inline Vec mul(Vec a, Vec b) { return _mm_mul_ps(a, b); }
[[gnu::always_inline]] inline Vec div(Vec a, Vec b) { return _mm_div_ps(a, b); }
[[gnu::always_inline]] inline Vec fma(Vec a, Vec b, Vec c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
[[gnu::always_inline]] inline Vec sqrt(Vec a) { return _mm_sqrt_ps(a); }
[[gnu::always_inline]] inline Vec max_or_second(Vec a, Vec b) { return _mm_max_ps(a, b); }
[[gnu::always_inline]] inline Vec min_or_second(Vec a, Vec b) { return _mm_min_ps(a, b); }
[[gnu::always_inline]] inline Vec abs(Vec a) { return _mm_andnot_ps(_mm_set1_ps(-0.0F), a); }
[[gnu::always_inline]] inline Vec round(Vec a) { return _mm_cvtepi32_ps(_mm_cvtps_epi32(a)); }
[[gnu::always_inline]] inline Vec exp2_integral(Vec n) {
  return _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(_mm_cvtps_epi32(n), _mm_set1_epi32(127)), 23));
}
[[gnu::always_inline]] inline Vec select_less(Vec a, Vec b, Vec x, Vec y) {
  const __m128 m = _mm_cmplt_ps(a, b);
  return _mm_or_ps(_mm_and_ps(m, x), _mm_andnot_ps(m, y));
}
[[gnu::always_inline]] inline Vec select_nan(Vec a, Vec x, Vec y) {
  const __m128 m = _mm_cmpunord_ps(a, a);
  return _mm_or_ps(_mm_and_ps(m, x), _mm_andnot_ps(m, y));
}
[[gnu::always_inline]] inline Vec maximum(Vec a, Vec b) { return select_nan(a, a, max_or_second(a, b)); }
[[gnu::always_inline]] inline Vec minimum(Vec a, Vec b) { return select_nan(a, a, min_or_second(a, b)); }
[[gnu::always_inline]] inline Vec copy_sign(Vec magnitude, Vec s) {
  const __m128 sign = _mm_set1_ps(-0.0F);
  return _mm_or_ps(_mm_andnot_ps(sign, magnitude), _mm_and_ps(sign, s));
}
[[gnu::always_inline]] inline Vec permute(Vec v, const std::int32_t* index) {
  alignas(16) float lanes[4];
  _mm_store_ps(lanes, v);
  return _mm_setr_ps(lanes[index[0]], lanes[index[1]], lanes[index[2]], lanes[index[3]]);
}
[[gnu::always_inline]] inline Vec zip_lower(Vec a, Vec b) { return _mm_unpacklo_ps(a, b); }
[[gnu::always_inline]] inline Vec zip_upper(Vec a, Vec b) { return _mm_unpackhi_ps(a, b); }

#elif defined(__ARM_NEON)

constexpr int kLanes = 4;
constexpr bool kMasks = false;
constexpr int kRegisters = 32;
using Vec = float32x4_t;

[[gnu::always_inline]] inline Vec load(const float* p) { return vld1q_f32(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { vst1q_f32(p, v); }
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { store(p, v); }
[[gnu::always_inline]] inline Vec broadcast(float x) { return vdupq_n_f32(x); }
[[gnu::always_inline]] inline Vec load_first(const float* p, int n) {
  if (n >= 4) return load(p);
  Vec v = vld1q_lane_f32(p, vdupq_n_f32(0.0F), 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
[[gnu::always_inline]] inline void store_first(float* p, Vec v, int n) {
  if (n >= 4) return store(p, v);
  vst1q_lane_f32(p, v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
[[gnu::always_inline]] inline Vec add(Vec a, Vec b) { return vaddq_f32(a, b); }
[[gnu::always_inline]] inline Vec sub(Vec a, Vec b) { return vsubq_f32(a, b); }
[[gnu::always_inline]] inline Vec mul(Vec a, Vec b) { return vmulq_f32(a, b); }
[[gnu::always_inline]] inline Vec div(Vec a, Vec b) { return vdivq_f32(a, b); }
[[gnu::always_inline]] inline Vec fma(Vec a, Vec b, Vec c) { return vfmaq_f32(c, a, b); }
[[gnu::always_inline]] inline Vec sqrt(Vec a) { return vsqrtq_f32(a); }
// Not vmaxq: the same zero and the same NaN as on x86.
[[gnu::always_inline]] inline Vec max_or_second(Vec a, Vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
[[gnu::always_inline]] inline Vec min_or_second(Vec a, Vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
[[gnu::always_inline]] inline Vec abs(Vec a) { return vabsq_f32(a); }
[[gnu::always_inline]] inline Vec round(Vec a) { return vrndnq_f32(a); }
[[gnu::always_inline]] inline Vec exp2_integral(Vec n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23));
}
[[gnu::always_inline]] inline Vec select_less(Vec a, Vec b, Vec x, Vec y) { return vbslq_f32(vcltq_f32(a, b), x, y); }
[[gnu::always_inline]] inline Vec select_nan(Vec a, Vec x, Vec y) { return vbslq_f32(vceqq_f32(a, a), y, x); }
[[gnu::always_inline]] inline Vec maximum(Vec a, Vec b) { return select_nan(a, a, max_or_second(a, b)); }
[[gnu::always_inline]] inline Vec minimum(Vec a, Vec b) { return select_nan(a, a, min_or_second(a, b)); }
[[gnu::always_inline]] inline Vec copy_sign(Vec magnitude, Vec s) { return vbslq_f32(vdupq_n_u32(0x80000000U), s, magnitude); }
[[gnu::always_inline]] inline Vec permute(Vec v, const std::int32_t* index) {
  float lanes[4];
  vst1q_f32(lanes, v);
  const float picked[4] = {lanes[index[0]], lanes[index[1]], lanes[index[2]], lanes[index[3]]};
  return vld1q_f32(picked);
}
[[gnu::always_inline]] inline Vec zip_lower(Vec a, Vec b) { return vzip1q_f32(a, b); }
[[gnu::always_inline]] inline Vec zip_upper(Vec a, Vec b) { return vzip2q_f32(a, b); }

#endif

/// Makes what was stored past the caches visible to other threads before later stores.
[[gnu::always_inline]] inline void flush_past_caches() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// Panels that end in half a vector of columns. Either a vector holds the half for two pixels, or half a vector does for one.
#if defined(__AVX512F__)
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
#else
// Without them a vector is short enough to waste; these only stand in for the names.
constexpr bool kHalfPanels = false;
[[gnu::always_inline]] inline Vec join_halves(Vec x, Vec) { return x; }
[[gnu::always_inline]] inline Vec load_halves(const float*, const float*, int) { return broadcast(0.0F); }
[[gnu::always_inline]] inline void store_lower(float*, Vec, int) {}
[[gnu::always_inline]] inline void store_upper(float*, Vec, int) {}
using HalfVec = Vec;
[[gnu::always_inline]] inline HalfVec half_load(const float* p) { return load(p); }
[[gnu::always_inline]] inline HalfVec half_load_first(const float* p, int n) { return load_first(p, n); }
[[gnu::always_inline]] inline void half_store_first(float*, HalfVec, int) {}
[[gnu::always_inline]] inline HalfVec lower_half(Vec x) { return x; }
[[gnu::always_inline]] inline HalfVec half_add(HalfVec a, HalfVec b) { return add(a, b); }
[[gnu::always_inline]] inline HalfVec half_fma(HalfVec a, HalfVec b, HalfVec c) { return fma(a, b, c); }
[[gnu::always_inline]] inline HalfVec half_max_or_second(HalfVec a, HalfVec b) { return max_or_second(a, b); }
[[gnu::always_inline]] inline HalfVec half_min_or_second(HalfVec a, HalfVec b) { return min_or_second(a, b); }
#endif

/// The first n <= kLanes lanes. Kernels call this where a row's channels may end; with mask registers it needs no branch.
[[gnu::always_inline]] inline Vec load_up_to(const float* p, int n) { return kMasks || n < kLanes ? load_first(p, n) : load(p); }
[[gnu::always_inline]] inline void store_up_to(float* p, Vec v, int n) { return n < kLanes ? store_first(p, v, n) : store(p, v); }

/// Lanes [first, last) of a vector. Without mask registers only whole leading parts are used: first is 0.
struct Lanes {
  int first, last;
  constexpr bool all() const { return first == 0 && last == kLanes; }
};
#if defined(__AVX512F__)
[[gnu::always_inline]] inline __mmask16 mask_of(Lanes n) { return static_cast<__mmask16>(first_mask(n.last) & ~first_mask(n.first)); }
[[gnu::always_inline]] inline Vec load_lanes(const float* p, Lanes n) { return _mm512_maskz_loadu_ps(mask_of(n), p); }
[[gnu::always_inline]] inline void store_lanes(float* p, Vec v, Lanes n) {
  n.all() ? store(p, v) : _mm512_mask_storeu_ps(p, mask_of(n), v);
}
/// Lanes [first, first + kLanes) of lower and upper side by side.
[[gnu::always_inline]] inline Vec load_across(const float* lower, const float* upper, int first) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_permutex2var_ps(load(lower), _mm512_add_epi32(lane, _mm512_set1_epi32(first)), load(upper));
}
#else
[[gnu::always_inline]] inline Vec load_lanes(const float* p, Lanes n) { return load_up_to(p, n.last); }
[[gnu::always_inline]] inline void store_lanes(float* p, Vec v, Lanes n) { store_up_to(p, v, n.last); }
[[gnu::always_inline]] inline Vec load_across(const float* lower, const float*, int) { return load(lower); }
#endif

/// An index known at compile time.
template <int I>
struct Index {
  static constexpr int value = I;
  constexpr operator int() const { return I; }
};

/// f(Index<Begin>), ..., f(Index<End - 1>): unrolled by construction, so that arrays of vectors indexed by it stay in registers.
template <int Begin, int End, class F>
[[gnu::always_inline]] inline void unroll(const F& f) {
  if constexpr (Begin < End) {
    f(Index<Begin>{});
    unroll<Begin + 1, End>(f);
  }
}

/// Keeps the compiler from seeing where a value came from (and from rebuilding the address arithmetic its own way).
template <class T>
[[gnu::always_inline]] inline T opaque(T x) {
  asm("" : "+r"(x));
  return x;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
