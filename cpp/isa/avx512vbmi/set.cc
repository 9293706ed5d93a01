#define DWSEP_ISA_NAMESPACE avx512vbmi
#define DWSEP_ISA_ADDS &unit_int8_table
#include "isa/adding_set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512vbmi = avx512vbmi::make_adding_set("avx512vbmi");
}  // namespace dwsep::isa
