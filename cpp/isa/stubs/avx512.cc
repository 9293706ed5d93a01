// A stub for builds without cpp/isa/avx512; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512{};
}  // namespace dwsep::isa
