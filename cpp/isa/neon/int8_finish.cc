#define DWSEP_ISA_NAMESPACE neon::unfused
#define DWSEP_UNFUSED
#include "kernels/int8/finish_entries.hpp"
