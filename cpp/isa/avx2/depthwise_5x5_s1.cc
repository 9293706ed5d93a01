#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/depthwise/entries_5x5_s1.hpp"
