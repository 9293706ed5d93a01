#define DWSEP_ISA_NAMESPACE baseline
#include "isa/tables.hpp"
#include "kernels/all.hpp"

namespace dwsep::isa {
constexpr KernelTable k_baseline = DWSEP_ISA_NAMESPACE::make_table("baseline");
}
