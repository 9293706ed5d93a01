#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/memory/entries.hpp"
