#define DWSEP_ISA_NAMESPACE dotprod
#define DWSEP_ISA_ADDS &unit_int8_quad_pointwise, &unit_int8_quad_depthwise
#include "isa/adding_set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_dotprod = dotprod::make_adding_set("dotprod");
}  // namespace dwsep::isa
