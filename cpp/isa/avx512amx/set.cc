#define DWSEP_ISA_NAMESPACE avx512amx
#define DWSEP_ISA_ADDS &unit_int8_quad_pointwise
#include "isa/adding_set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512amx = avx512amx::make_adding_set("avx512amx");
}  // namespace dwsep::isa
