#define DWSEP_ISA_NAMESPACE neon
#include "isa/tables.hpp"
#include "kernels/all.hpp"

namespace dwsep::isa {
constexpr KernelTable k_neon = DWSEP_ISA_NAMESPACE::make_table("neon");
}
