// Depthwise 3x3 in the registry.
#pragma once

#include "kernels/depthwise/design.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise3x3[] = {
    entry<depthwise<3, 1>>("depthwise_3x3_s1", Family::depthwise, square(3, 1)),
    entry<depthwise<3, 2>>("depthwise_3x3_s2", Family::depthwise, square(3, 2)),
};
extern constexpr KernelList unit_depthwise_3x3 = list_of(kDepthwise3x3);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
