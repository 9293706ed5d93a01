#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/int8/quad_pointwise_entries.hpp"
