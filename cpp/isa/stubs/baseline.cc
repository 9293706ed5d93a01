// A stub for builds without cpp/isa/baseline; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_baseline{};
}  // namespace dwsep::isa
