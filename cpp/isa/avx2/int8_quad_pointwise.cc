#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/int8/quad_pointwise_entries.hpp"
