#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/resize/entries.hpp"
