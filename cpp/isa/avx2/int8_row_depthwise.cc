#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/int8/row_depthwise_entries.hpp"
