#define DWSEP_ISA_NAMESPACE neon
#include "kernels/int8/plain_depthwise_entries.hpp"
