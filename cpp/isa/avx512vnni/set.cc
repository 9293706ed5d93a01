#define DWSEP_ISA_NAMESPACE avx512vnni
#define DWSEP_ISA_ADDS &unit_int8_quad_pointwise, &unit_int8_quad_depthwise
#include "isa/adding_set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512vnni = avx512vnni::make_adding_set("avx512vnni");
}  // namespace dwsep::isa
