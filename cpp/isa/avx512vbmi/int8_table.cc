#define DWSEP_ISA_NAMESPACE avx512vbmi
#include "kernels/int8_tensor/table_entries.hpp"
