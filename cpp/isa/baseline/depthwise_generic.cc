#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/depthwise/entries_generic.hpp"
