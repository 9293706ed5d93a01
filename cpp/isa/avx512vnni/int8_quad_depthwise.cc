#define DWSEP_ISA_NAMESPACE avx512vnni
#include "kernels/int8/quad_depthwise_entries.hpp"
