#define DWSEP_ISA_NAMESPACE avx2::unfused
#define DWSEP_UNFUSED
#include "kernels/int8/finish_entries.hpp"
