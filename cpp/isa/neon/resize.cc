#define DWSEP_ISA_NAMESPACE neon
#include "kernels/resize/entries.hpp"
