#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/int8_tensor/entries.hpp"
