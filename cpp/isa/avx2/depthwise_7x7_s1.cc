#define DWSEP_ISA_NAMESPACE avx2
#include "kernels/depthwise/entries_7x7_s1.hpp"
