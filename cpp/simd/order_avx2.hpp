// Lanes of AVX2's vectors of floats in another order; part of vec_avx2.hpp.
#pragma once

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::always_inline]] inline Vec<float> permute(Vec<float> a, const std::int32_t* index) {
  return {_mm256_permutevar8x32_ps(a.v, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index)))};
}
[[gnu::always_inline]] inline Vec<float> load_across(const float* lower, const float* upper, int first) {
  const __m256i index = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(first));
  return {_mm256_blendv_ps(_mm256_permutevar8x32_ps(load(lower).v, index), _mm256_permutevar8x32_ps(load(upper).v, index),
                           _mm256_castsi256_ps(_mm256_cmpgt_epi32(index, _mm256_set1_epi32(7))))};
}
[[gnu::always_inline]] inline Vec<float> zip_lower(Vec<float> a, Vec<float> b) {
  return {_mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x20)};
}
[[gnu::always_inline]] inline Vec<float> zip_upper(Vec<float> a, Vec<float> b) {
  return {_mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x31)};
}
template <int Shuffle>
[[gnu::always_inline]] inline Vec<float> every_second(Vec<float> a, Vec<float> b) {
  return {_mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a.v, b.v, Shuffle)), 0xD8))};
}
[[gnu::always_inline]] inline Vec<float> even_lanes(Vec<float> a, Vec<float> b) { return every_second<0x88>(a, b); }
[[gnu::always_inline]] inline Vec<float> odd_lanes(Vec<float> a, Vec<float> b) { return every_second<0xDD>(a, b); }
/// In 24 shuffles, 16 of which two ports take; by halves it would be 48, half of them for one port.
[[gnu::always_inline]] inline void transpose_lanes(Vec<float>* v) {
  __m256 pairs[8], fours[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(v[i].v, v[i + 1].v);
    pairs[i + 1] = _mm256_unpackhi_ps(v[i].v, v[i + 1].v);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const int from = i / 2 * 4 + i % 2, to = i / 2 * 4 + i % 2 * 2;
    const __m256d a = _mm256_castps_pd(pairs[from]), b = _mm256_castps_pd(pairs[from + 2]);
    fours[to] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
    fours[to + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    v[i] = {_mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20)};
    v[i + 4] = {_mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31)};
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
