#define DWSEP_ISA_NAMESPACE avx512
#include "isa/tables.hpp"
#include "kernels/all.hpp"

namespace dwsep::isa {
constexpr KernelTable k_avx512 = DWSEP_ISA_NAMESPACE::make_table("avx512");
}
