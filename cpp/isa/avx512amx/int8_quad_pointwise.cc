#define DWSEP_ISA_NAMESPACE avx512amx
#include "kernels/int8/quad_pointwise_entries.hpp"
