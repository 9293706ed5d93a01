#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/memory/entries.hpp"
