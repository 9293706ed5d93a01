// Processor features that kernels need, as a set of bits.
#pragma once

#include <cstdint>

namespace dwsep {

using Features = std::uint32_t;

namespace feature {
constexpr Features sse2 = 1U << 0, avx2 = 1U << 1, fma = 1U << 2;
constexpr Features avx512f = 1U << 3, avx512bw = 1U << 4, avx512dq = 1U << 5, avx512vl = 1U << 6;
constexpr Features vnni = 1U << 7;     ///< AVX-512 dot products of bytes
constexpr Features avxvnni = 1U << 8;  ///< the same, VEX-encoded
constexpr Features bf16 = 1U << 9;     ///< dot products of bfloat16: AVX-512's or Arm's
constexpr Features neon = 1U << 10, dotprod = 1U << 11, i8mm = 1U << 12;
constexpr Features amx = 1U << 13;   ///< tiles, and their products of bytes
constexpr Features vbmi = 1U << 14;  ///< AVX-512 permutations of bytes
}  // namespace feature

/// The features that this translation unit is compiled for.
constexpr Features kCompiledFeatures = 0
#if defined(__SSE2__)
                                       | feature::sse2
#endif
#if defined(__AVX2__)
                                       | feature::avx2
#endif
#if defined(__FMA__)
                                       | feature::fma
#endif
#if defined(__AVX512F__)
                                       | feature::avx512f
#endif
#if defined(__AVX512BW__)
                                       | feature::avx512bw
#endif
#if defined(__AVX512DQ__)
                                       | feature::avx512dq
#endif
#if defined(__AVX512VL__)
                                       | feature::avx512vl
#endif
#if defined(__AVX512VBMI__)
                                       | feature::vbmi
#endif
#if defined(__AVX512VNNI__)
                                       | feature::vnni
#endif
#if defined(__AVXVNNI__)
                                       | feature::avxvnni
#endif
#if defined(__AMX_TILE__) && defined(__AMX_INT8__)
                                       | feature::amx
#endif
#if defined(__AVX512BF16__) || defined(__ARM_FEATURE_BF16)
                                       | feature::bf16
#endif
#if defined(__aarch64__)
                                       | feature::neon
#endif
#if defined(__ARM_FEATURE_DOTPROD)
                                       | feature::dotprod
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
                                       | feature::i8mm
#endif
    ;

}  // namespace dwsep
