#define DWSEP_ISA_NAMESPACE neon
#include "kernels/transpose/entries.hpp"
