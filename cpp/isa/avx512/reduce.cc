#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/reduce/entries.hpp"
