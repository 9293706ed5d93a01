// A stub for builds without cpp/isa/avxvnni; dispatch skips it.
#include "isa/sets.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avxvnni{};
}  // namespace dwsep::isa
