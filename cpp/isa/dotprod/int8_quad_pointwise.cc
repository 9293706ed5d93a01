#define DWSEP_ISA_NAMESPACE dotprod
#include "kernels/int8/quad_pointwise_entries.hpp"
