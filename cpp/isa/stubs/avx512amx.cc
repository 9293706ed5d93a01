// A stub for builds without cpp/isa/avx512amx; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512amx{};
}  // namespace dwsep::isa
