#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/elementwise/entries.hpp"
