#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/transpose/entries.hpp"
