#define DWSEP_ISA_NAMESPACE neon
#include "kernels/memory/entries.hpp"
