#define DWSEP_ISA_NAMESPACE avxvnni
#include "kernels/int8/quad_pointwise_entries.hpp"
