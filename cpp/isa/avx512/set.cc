#define DWSEP_ISA_NAMESPACE avx512
#include "isa/set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512 = avx512::make_set("avx512");
}  // namespace dwsep::isa
