// Tables alone, for a set that has instructions for them.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8_tensor/table.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kInt8Table[] = {entry<int8_table>("int8_table", Family::map, {}, kInt8)};
extern constexpr KernelList unit_int8_table = list_of(kInt8Table);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
