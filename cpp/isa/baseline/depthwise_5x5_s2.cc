#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/depthwise/entries_5x5_s2.hpp"
