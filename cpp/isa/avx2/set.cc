#define DWSEP_ISA_NAMESPACE avx2
#include "isa/set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx2 = avx2::make_set("avx2");
}  // namespace dwsep::isa
