#define DWSEP_ISA_NAMESPACE neon
#include "kernels/depthwise/multiplied.hpp"
