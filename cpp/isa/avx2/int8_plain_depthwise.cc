#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/int8/plain_depthwise_entries.hpp"
