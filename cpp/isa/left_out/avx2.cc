// Stands in for cpp/isa/avx2.cc in a build without it; dispatch passes it over.
#include "isa/tables.hpp"

namespace dwsep::isa {
constexpr KernelTable k_avx2{};
}
