#define DWSEP_ISA_NAMESPACE neon
#include "isa/set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_neon = neon::make_set("neon");
}  // namespace dwsep::isa
