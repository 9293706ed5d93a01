#define DWSEP_ISA_NAMESPACE neon
#include "kernels/int8/quad_pointwise_entries.hpp"
