// Stands in for cpp/isa/avx2 in a build without it; dispatch passes it over.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx2{};
}  // namespace dwsep::isa
