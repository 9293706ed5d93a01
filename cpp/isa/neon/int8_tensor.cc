#define DWSEP_ISA_NAMESPACE neon
#include "kernels/int8_tensor/entries.hpp"
