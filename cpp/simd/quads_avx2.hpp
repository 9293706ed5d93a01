// AVX2, with and without AVX-VNNI. The operations mean what quads.hpp says.
#pragma once

#include "simd/dot_instruction.hpp"
#include "simd/dot_xor.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

#if defined(__AVXVNNI__)
[[gnu::always_inline]] inline I32 dot_quads(I32 s, I8 x, I8 w) { return {_mm256_dpbusd_avx_epi32(s.v, x.v, w.v)}; }
using Dot = DotInstruction<0x80, dot_quads>;
#else
using Dot = DotXor;
#endif

[[gnu::always_inline]] inline I8 lane_unpack_lower(I8 a, I8 b) { return {_mm256_unpacklo_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_unpack_upper(I8 a, I8 b) { return {_mm256_unpackhi_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline I16 lane_unpack_lower(I16 a, I16 b) { return {_mm256_unpacklo_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline I16 lane_unpack_upper(I16 a, I16 b) { return {_mm256_unpackhi_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_pick(I8 v, I8 i) { return {_mm256_shuffle_epi8(v.v, i.v)}; }
[[gnu::always_inline]] inline I16 lane_pack(I32 a, I32 b) { return {_mm256_packs_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_pack(I16 a, I16 b) { return {_mm256_packs_epi16(a.v, b.v)}; }

template <int P>
[[gnu::always_inline]] inline I8 load_pieces(const std::int8_t* const (&p)[P], int n) {
  if constexpr (P == 1) return load_up_to(p[0], n);
  const auto piece = [&](int i) { return load_bytes_16(reinterpret_cast<const char*>(p[i]), static_cast<std::size_t>(n)); };
  return {_mm256_set_m128i(piece(P - 1), piece(0))};
}
template <int P>
[[gnu::always_inline]] inline void store_pieces(std::int8_t* p, std::int64_t step, I8 v, int n, int count) {
  store_bytes_16(reinterpret_cast<char*>(p), _mm256_castsi256_si128(v.v), static_cast<std::size_t>(n));
  if (count > 1) store_bytes_16(reinterpret_cast<char*>(p + step), _mm256_extracti128_si256(v.v, 1), static_cast<std::size_t>(n));
}

/// Eight bytes each, `step` bytes from one to the next.
[[gnu::always_inline]] inline void store_eighths(std::int8_t* p, std::int64_t step, I8 v) {
  const __m128d half[2] = {_mm_castsi128_pd(_mm256_castsi256_si128(v.v)), _mm_castsi128_pd(_mm256_extracti128_si256(v.v, 1))};
  for (int i = 0; i < 2; ++i) {
    _mm_storel_pd(reinterpret_cast<double*>(p + 2 * i * step), half[i]);
    _mm_storeh_pd(reinterpret_cast<double*>(p + (2 * i + 1) * step), half[i]);
  }
}

template <int N>
[[gnu::always_inline]] inline I8 lane_join(I8 a) {
  if constexpr (N == 4) return {_mm256_permutevar8x32_epi32(a.v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))};
  return {_mm256_permute4x64_epi64(a.v, 0xD8)};
}
template <int N>
[[gnu::always_inline]] inline I8 lane_split(I8 a) {
  if constexpr (N == 4) return {_mm256_permutevar8x32_epi32(a.v, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1))};
  return {_mm256_permute4x64_epi64(a.v, 0x50)};
}
[[gnu::always_inline]] inline void lane_transpose(F32 (&a)[4]) {
  const F32 b[4] = {a[0], a[1], a[2], a[3]};
  unroll<0, 2>([&](auto i) {
    a[i] = {_mm256_permute2f128_ps(b[2 * i].v, b[2 * i + 1].v, 0x20)};
    a[2 + i] = {_mm256_permute2f128_ps(b[2 * i].v, b[2 * i + 1].v, 0x31)};
  });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
