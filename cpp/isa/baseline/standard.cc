#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/standard/entries.hpp"
