#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/pointwise/entries.hpp"
