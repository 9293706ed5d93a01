#define DWSEP_ISA_NAMESPACE neon
#include "kernels/pool/entries.hpp"
