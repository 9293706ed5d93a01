// A stub for builds without cpp/isa/dotprod; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_dotprod{};
}  // namespace dwsep::isa
