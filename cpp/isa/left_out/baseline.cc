// Stands in for cpp/isa/baseline.cc in a build without it; dispatch passes it over.
#include "isa/tables.hpp"

namespace dwsep::isa {
constexpr KernelTable k_baseline{};
}
