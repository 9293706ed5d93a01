#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/int8/plain_depthwise_entries.hpp"
