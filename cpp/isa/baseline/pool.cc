#define DWSEP_ISA_NAMESPACE baseline
#include "kernels/pool/entries.hpp"
