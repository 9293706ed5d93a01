#define DWSEP_ISA_NAMESPACE avx512::unfused
#define DWSEP_UNFUSED
#include "kernels/int8/finish_entries.hpp"
