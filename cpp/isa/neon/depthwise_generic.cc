#define DWSEP_ISA_NAMESPACE neon
#include "kernels/depthwise/entries_generic.hpp"
