// A stub for builds without cpp/isa/avx512vnni; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avx512vnni{};
}  // namespace dwsep::isa
