#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/resize/entries.hpp"
