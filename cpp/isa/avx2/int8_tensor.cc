#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/int8_tensor/entries.hpp"
