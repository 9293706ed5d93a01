#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/depthwise/entries_3x3.hpp"
