#define DWSEP_ISA_NAMESPACE neon
#include "kernels/reduce/entries.hpp"
