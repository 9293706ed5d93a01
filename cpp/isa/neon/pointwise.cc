#define DWSEP_ISA_NAMESPACE neon
#include "kernels/pointwise/entries.hpp"
