// What cpp/isa offers for each instruction set. Which of them are linked depends on the processor family the library is built for.
#pragma once

#include "kernels/registry.hpp"

namespace dwsep::isa {

extern const KernelSet k_baseline;  ///< plain x86-64: SSE2
extern const KernelSet k_avx2;      ///< AVX2 and FMA
extern const KernelSet k_avx512;    ///< AVX-512 F, BW, DQ and VL
extern const KernelSet k_neon;      ///< aarch64

}  // namespace dwsep::isa
