// The depthwise convolution of filters one row high in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8/row_depthwise.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr Problem row_problem() {
  Problem takes{};
  takes.kh = takes.multiplier = takes.weight_zeros = 1;
  return takes;
}
constexpr KernelEntry kInt8RowDepthwise[] = {packing_entry<int8::row_depthwise, int8::pack_row_depthwise>(
    "int8_depthwise_rows", Family::depthwise, row_problem(), kInt8, int8::row_fits)};
extern constexpr KernelList unit_int8_row_depthwise = list_of(kInt8RowDepthwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
