// The plain depthwise convolutions of int8 in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8/plain_depthwise.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kInt8PlainDepthwise[] = {
    packing_entry<int8::plain_depthwise<std::int8_t>, int8::pack_depthwise>("int8_depthwise_plain", Family::depthwise, {}, kInt8),
    packing_entry<int8::plain_depthwise<float>, int8::pack_depthwise>("int8_depthwise_plain", Family::depthwise, {}, kInt8ToFloat),
};
extern constexpr KernelList unit_int8_plain_depthwise = list_of(kInt8PlainDepthwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
