// Plain x86-64, SSE2: 4 floats, 16 vector registers. fma rounds twice. The operations mean what vec_avx512.hpp says.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kLanes = 4;
constexpr int kRegisters = 16;
using Vec = __m128;

[[gnu::always_inline]] inline Vec load(const float* p) { return _mm_loadu_ps(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { _mm_storeu_ps(p, v); }
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { _mm_stream_ps(p, v); }
[[gnu::always_inline]] inline void flush_past_caches() { _mm_sfence(); }
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

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
