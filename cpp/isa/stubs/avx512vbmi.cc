// A stub for builds without cpp/isa/avx512vbmi; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512vbmi{};
}  // namespace dwsep::isa
