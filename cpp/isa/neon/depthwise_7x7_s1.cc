#define DWSEP_ISA_NAMESPACE neon
#include "kernels/depthwise/entries_7x7_s1.hpp"
