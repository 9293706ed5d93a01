#define DWSEP_ISA_NAMESPACE neon
#include "kernels/depthwise/entries_5x5_s2.hpp"
