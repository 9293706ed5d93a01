#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/elementwise/entries.hpp"
