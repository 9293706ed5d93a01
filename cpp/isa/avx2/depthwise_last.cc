#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/depthwise/last.hpp"
