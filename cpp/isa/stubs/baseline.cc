// Stands in for cpp/isa/baseline in a build without it; dispatch passes it over.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_baseline{};
}  // namespace dwsep::isa
