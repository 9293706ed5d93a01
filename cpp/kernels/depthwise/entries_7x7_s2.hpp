// Depthwise 7x7 with stride 2 in the registry.
#pragma once

#include "kernels/depthwise/design.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise7x7s2[] = {
    entry<depthwise<7, 2>>("depthwise_7x7_s2", Family::depthwise, square(7, 2)),
};
extern constexpr KernelList unit_depthwise_7x7_s2 = list_of(kDepthwise7x7s2);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
