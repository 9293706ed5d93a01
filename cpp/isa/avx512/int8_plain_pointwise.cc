#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/int8/plain_pointwise_entries.hpp"
