// The tables that cpp/isa/*.cc fill. Which of them are linked depends on the processor family the library is built for.
#pragma once

#include "kernels/table.hpp"

namespace dwsep::isa {

extern const KernelTable k_baseline;  ///< plain x86-64: SSE2
extern const KernelTable k_avx2;      ///< AVX2 and FMA
extern const KernelTable k_avx512;    ///< AVX-512 F, BW, DQ and VL
extern const KernelTable k_neon;      ///< aarch64

}  // namespace dwsep::isa
