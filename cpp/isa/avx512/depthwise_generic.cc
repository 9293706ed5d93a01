#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/depthwise/entries_generic.hpp"
