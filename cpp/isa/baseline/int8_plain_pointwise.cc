#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/int8/plain_pointwise_entries.hpp"
