#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/depthwise/entries_5x5_s2.hpp"
