#define DWSEP_ISA_NAMESPACE neon
#include "kernels/depthwise/last.hpp"
