// The kernel sets of cpp/isa, and which are built for which processor family.
#pragma once

#include "kernels/registry.hpp"

namespace dwsep::isa {

extern const KernelSet k_baseline;  ///< x86-64 with SSE2, or any processor that has no other folder
extern const KernelSet k_avx2;      ///< AVX2 and FMA
extern const KernelSet k_avx512;    ///< AVX-512 F, BW, DQ and VL
extern const KernelSet k_neon;      ///< aarch64

// They add int8 kernels to these.
extern const KernelSet k_avx512amx;   ///< matrix products on AMX
extern const KernelSet k_avx512vbmi;  ///< tables, by AVX-512 permutations of bytes
extern const KernelSet k_avx512vnni;  ///< dot products of bytes in AVX-512
extern const KernelSet k_avxvnni;     ///< the same, VEX-encoded, 32 bytes wide
extern const KernelSet k_dotprod;     ///< aarch64's

/// Best first.
#if defined(__x86_64__)
constexpr const KernelSet* kSets[] = {&k_avx512amx, &k_avx512vnni, &k_avx512vbmi, &k_avxvnni, &k_avx512, &k_avx2, &k_baseline};
#elif defined(__aarch64__)
constexpr const KernelSet* kSets[] = {&k_dotprod, &k_neon};
#else
constexpr const KernelSet* kSets[] = {&k_baseline};
#endif

}  // namespace dwsep::isa
