#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/normalise/entries.hpp"
