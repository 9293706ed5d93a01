#define DWSEP_ISA_NAMESPACE avx512
#include "kernels/normalise/entries.hpp"
