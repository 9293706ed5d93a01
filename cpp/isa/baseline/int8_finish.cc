#define DWSEP_ISA_NAMESPACE baseline::unfused
#define DWSEP_UNFUSED
#include "kernels/int8/finish_entries.hpp"
