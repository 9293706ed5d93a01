#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/pointwise/entries.hpp"
