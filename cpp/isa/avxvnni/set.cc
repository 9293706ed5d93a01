#define DWSEP_ISA_NAMESPACE avxvnni
#include "isa/adding_set.hpp"

namespace dwsep::isa {
constexpr KernelSet k_avxvnni = avxvnni::make_adding_set("avxvnni");
}  // namespace dwsep::isa
