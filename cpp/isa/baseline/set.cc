#define DWSEP_ISA_NAMESPACE baseline
#include "isa/set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_baseline = baseline::make_set("baseline");
}  // namespace dwsep::isa
