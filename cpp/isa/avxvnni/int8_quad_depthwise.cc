#define DWSEP_ISA_NAMESPACE avxvnni
#include "kernels/int8/quad_depthwise_entries.hpp"
