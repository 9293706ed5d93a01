#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/standard/half_tiles.hpp"
