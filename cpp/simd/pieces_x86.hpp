// Parts of 16 bytes, in pieces of 8, 4, 2 and 1: for integers where there are no mask registers.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The first n <= 16 bytes, then 0.
[[gnu::always_inline]] inline __m128i load_bytes_16(const char* p, std::size_t n) {
  if (n >= 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const char* rest = p + (n & 8U);
  std::uint64_t last = 0;
  unsigned shift = 0;
  if ((n & 4U) != 0) {
    std::uint32_t piece;
    __builtin_memcpy(&piece, rest, sizeof piece);
    last = piece;
    shift = 32;
    rest += 4;
  }
  if ((n & 2U) != 0) {
    std::uint16_t piece;
    __builtin_memcpy(&piece, rest, sizeof piece);
    last |= static_cast<std::uint64_t>(piece) << shift;
    shift += 16;
    rest += 2;
  }
  if ((n & 1U) != 0) last |= static_cast<std::uint64_t>(static_cast<unsigned char>(*rest)) << shift;
  const __m128i pieces = _mm_cvtsi64_si128(static_cast<long long>(last));
  return (n & 8U) != 0 ? _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), pieces) : pieces;
}

[[gnu::always_inline]] inline void store_bytes_16(char* p, __m128i v, std::size_t n) {
  if (n >= 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
  if ((n & 8U) != 0) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), v);
    v = _mm_unpackhi_epi64(v, v);
    p += 8;
  }
  auto last = static_cast<std::uint64_t>(_mm_cvtsi128_si64(v));
  if ((n & 4U) != 0) {
    __builtin_memcpy(p, &last, 4);
    last >>= 32;
    p += 4;
  }
  if ((n & 2U) != 0) {
    __builtin_memcpy(p, &last, 2);
    last >>= 16;
    p += 2;
  }
  if ((n & 1U) != 0) __builtin_memcpy(p, &last, 1);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
