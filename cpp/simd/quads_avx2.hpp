// AVX2, with and without AVX-VNNI. The operations mean what quads.hpp says.
#pragma once

#include "simd/dot_instruction.hpp"
#include "simd/dot_xor.hpp"

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
[[gnu::always_inline]] inline I16 lane_pack(I32 a, I32 b) { return {_mm256_packs_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_pack(I16 a, I16 b) { return {_mm256_packs_epi16(a.v, b.v)}; }

template <int N>
[[gnu::always_inline]] inline I8 lane_join(I8 a) {
  if constexpr (N == 4) return {_mm256_permutevar8x32_epi32(a.v, _mm256_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4))};
  return {_mm256_permute4x64_epi64(a.v, 0x88)};
}
template <int N>
[[gnu::always_inline]] inline I8 lane_split(I8 a) {
  if constexpr (N == 4) return {_mm256_permutevar8x32_epi32(a.v, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1))};
  return {_mm256_permute4x64_epi64(a.v, 0x50)};
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
