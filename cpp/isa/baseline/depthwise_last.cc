#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/depthwise/last.hpp"
