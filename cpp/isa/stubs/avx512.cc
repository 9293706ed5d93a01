// Stands in for cpp/isa/avx512 in a build without it; dispatch passes it over.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512{};
}  // namespace dwsep::isa
