#define DWSEP_ISA_NAMESPACE neon
#include "kernels/standard/entries.hpp"
