#define DWSEP_ISA_NAMESPACE dotprod
#include "isa/adding_set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_dotprod = dotprod::make_adding_set("dotprod");
}  // namespace dwsep::isa
