#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/int8/quad_depthwise_entries.hpp"
