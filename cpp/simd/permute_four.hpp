// Lanes of four floats in memory, in any order.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Lane i is p[index[i]], of four. On Zen 3 half of what a permutation of a whole vector takes.
[[gnu::always_inline]] inline F32 permute_four(const float* p, const std::int32_t* index) {
#if defined(__AVX2__) && !defined(__AVX512F__) && !defined(DWSEP_PORTABLE_VECTORS)
  return {_mm256_permutevar_ps(_mm256_broadcast_ps(reinterpret_cast<const __m128*>(p)),
                               _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index)))};
#else
  return permute(load_first(p, 4), index);
#endif
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
