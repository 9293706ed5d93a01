#define DWSEP_ISA_NAMESPACE neon
#include "kernels/elementwise/entries.hpp"
