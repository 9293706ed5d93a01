// Any function of one byte, by AVX-512.
#pragma once

#include "simd/vec_avx512.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

#if defined(__AVX512VBMI__)
/// Half of the table by seven bits of each byte, and the half that bit 7 names.
[[gnu::always_inline]] inline Vec<std::int8_t> look_up(Vec<std::int8_t> a, const std::int8_t* table) {
  const auto half = [&](int i) { return _mm512_permutex2var_epi8(_mm512_loadu_si512(table + i), a.v, _mm512_loadu_si512(table + i + 64)); };
  return {_mm512_mask_blend_epi8(_mm512_movepi8_mask(a.v), half(0), half(128))};
}
#else
/// Sixteen rows of the table by the low four bits, and of these the one that the high four bits name.
[[gnu::always_inline]] inline Vec<std::int8_t> look_up(Vec<std::int8_t> a, const std::int8_t* table) {
  const __m512i low = _mm512_and_si512(a.v, _mm512_set1_epi8(15));
  const auto bit = [&](char b) { return _mm512_test_epi8_mask(a.v, _mm512_set1_epi8(b)); };
  const __mmask64 bit4 = bit(16), bit5 = bit(32), bit6 = bit(64), bit7 = _mm512_movepi8_mask(a.v);
  const auto row = [&](int i) { return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * i))); };
  const auto two = [&](int i) { return _mm512_mask_shuffle_epi8(_mm512_shuffle_epi8(row(i), low), bit4, row(i + 1), low); };
  const auto four = [&](int i) { return _mm512_mask_blend_epi8(bit5, two(i), two(i + 2)); };
  const auto eight = [&](int i) { return _mm512_mask_blend_epi8(bit6, four(i), four(i + 4)); };
  return {_mm512_mask_blend_epi8(bit7, eight(0), eight(8))};
}
#endif

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
