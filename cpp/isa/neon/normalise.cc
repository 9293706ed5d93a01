#define DWSEP_ISA_NAMESPACE neon
#include "kernels/normalise/entries.hpp"
