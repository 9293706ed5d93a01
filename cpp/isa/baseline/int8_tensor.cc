#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/int8_tensor/entries.hpp"
