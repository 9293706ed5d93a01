#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/reduce/entries.hpp"
