#define DWSEP_ISA_NAMESPACE avxvnni
#define DWSEP_ISA_ADDS &unit_int8_quad_pointwise, &unit_int8_quad_depthwise
#include "isa/adding_set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avxvnni = avxvnni::make_adding_set("avxvnni");
}  // namespace dwsep::isa
