// AVX-512, with and without VNNI. The operations mean what quads.hpp says.
#pragma once

#include "simd/dot_instruction.hpp"
#include "simd/dot_xor.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

#if defined(__AVX512VNNI__)
[[gnu::always_inline]] inline I32 dot_quads(I32 s, I8 x, I8 w) { return {_mm512_dpbusd_epi32(s.v, x.v, w.v)}; }
using Dot = DotInstruction<0x80, dot_quads>;
#else
using Dot = DotXor;
#endif

[[gnu::always_inline]] inline I8 lane_unpack_lower(I8 a, I8 b) { return {_mm512_unpacklo_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_unpack_upper(I8 a, I8 b) { return {_mm512_unpackhi_epi8(a.v, b.v)}; }
[[gnu::always_inline]] inline I16 lane_unpack_lower(I16 a, I16 b) { return {_mm512_unpacklo_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline I16 lane_unpack_upper(I16 a, I16 b) { return {_mm512_unpackhi_epi16(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_pick(I8 v, I8 i) { return {_mm512_shuffle_epi8(v.v, i.v)}; }
[[gnu::always_inline]] inline I16 lane_pack(I32 a, I32 b) { return {_mm512_packs_epi32(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_pack(I16 a, I16 b) { return {_mm512_packs_epi16(a.v, b.v)}; }

template <int P>
[[gnu::always_inline]] inline I8 load_pieces(const std::int8_t* const (&p)[P], int n) {
  if constexpr (P == 1) {
    return load_first(p[0], n);
  } else if constexpr (P == 2) {
    if (n == 32) {  // without masks, a piece in memory can be the operand of what inserts it
      const auto at = [&](int i) { return reinterpret_cast<const __m256i*>(p[i]); };
      return {_mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(at(0))), _mm256_loadu_si256(at(1)), 1)};
    }
    const __mmask32 mask = static_cast<__mmask32>(first_bytes(static_cast<std::uint64_t>(n)));
    return {_mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi8(mask, p[0])), _mm256_maskz_loadu_epi8(mask, p[1]), 1)};
  } else {
    if (n == 16) {
      const auto at = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p[i])); };
      const __m512i two = _mm512_inserti32x4(_mm512_castsi128_si512(at(0)), at(1), 1);
      return {_mm512_inserti32x4(_mm512_inserti32x4(two, at(2), 2), at(3), 3)};
    }
    const __mmask16 mask = first_mask(n);
    const __m512i first = _mm512_castsi128_si512(_mm_maskz_loadu_epi8(mask, p[0]));
    const __m512i two = _mm512_inserti32x4(first, _mm_maskz_loadu_epi8(mask, p[1]), 1);
    return {_mm512_inserti32x4(_mm512_inserti32x4(two, _mm_maskz_loadu_epi8(mask, p[2]), 2), _mm_maskz_loadu_epi8(mask, p[3]), 3)};
  }
}
template <int P>
[[gnu::always_inline]] inline void store_pieces(std::int8_t* p, std::int64_t step, I8 v, int n, int count) {
  if constexpr (P == 2) {
    const __mmask32 mask = static_cast<__mmask32>(first_bytes(static_cast<std::uint64_t>(n)));
    _mm256_mask_storeu_epi8(p, mask, _mm512_castsi512_si256(v.v));
    if (count > 1) _mm256_mask_storeu_epi8(p + step, mask, _mm512_extracti64x4_epi64(v.v, 1));
  } else {
    unroll<0, 4>([&](auto i) {
      if (i < count) _mm_mask_storeu_epi8(p + i * step, first_mask(n), _mm512_extracti32x4_epi32(v.v, i));
    });
  }
}

template <int N>
[[gnu::always_inline]] inline I8 lane_join(I8 a) {
  const __m512i quarters = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i halves = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  return {N == 4 ? _mm512_permutexvar_epi32(quarters, a.v) : _mm512_permutexvar_epi64(halves, a.v)};
}
template <int N>
[[gnu::always_inline]] inline I8 lane_split(I8 a) {
  const __m512i quarters = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const __m512i halves = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
  return {N == 4 ? _mm512_permutexvar_epi32(quarters, a.v) : _mm512_permutexvar_epi64(halves, a.v)};
}
[[gnu::always_inline]] inline void lane_transpose(F32 (&a)[4]) {
  const __m512 lower01 = _mm512_shuffle_f32x4(a[0].v, a[1].v, 0x44), lower23 = _mm512_shuffle_f32x4(a[2].v, a[3].v, 0x44);
  const __m512 upper01 = _mm512_shuffle_f32x4(a[0].v, a[1].v, 0xEE), upper23 = _mm512_shuffle_f32x4(a[2].v, a[3].v, 0xEE);
  a[0] = {_mm512_shuffle_f32x4(lower01, lower23, 0x88)};
  a[1] = {_mm512_shuffle_f32x4(lower01, lower23, 0xDD)};
  a[2] = {_mm512_shuffle_f32x4(upper01, upper23, 0x88)};
  a[3] = {_mm512_shuffle_f32x4(upper01, upper23, 0xDD)};
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
