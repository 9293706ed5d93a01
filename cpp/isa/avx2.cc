#define DWSEP_ISA_NAMESPACE avx2
#include "isa/tables.hpp"
#include "kernels/all.hpp"

namespace dwsep::isa {
constexpr KernelTable k_avx2 = DWSEP_ISA_NAMESPACE::make_table("avx2");
}
