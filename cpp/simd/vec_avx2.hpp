// AVX2 and FMA: 8 floats, 16 vector registers. The operations mean what vec_avx512.hpp says.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kLanes = 8;
constexpr int kRegisters = 16;
using Vec = __m256;

[[gnu::always_inline]] inline Vec load(const float* p) { return _mm256_loadu_ps(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { _mm256_stream_ps(p, v); }
[[gnu::always_inline]] inline void flush_past_caches() { _mm_sfence(); }
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

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
