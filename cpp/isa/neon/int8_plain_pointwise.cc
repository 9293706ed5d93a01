#define DWSEP_ISA_NAMESPACE neon
#include "kernels/int8/plain_pointwise_entries.hpp"
