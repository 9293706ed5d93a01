#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/pointwise/half_tiles.hpp"
