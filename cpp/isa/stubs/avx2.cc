// A stub for builds without cpp/isa/avx2; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx2{};
}  // namespace dwsep::isa
