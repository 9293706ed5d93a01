#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/depthwise/last.hpp"
