// Depthwise 5x5 with stride 2 in the registry.
#pragma once

#include "kernels/depthwise/design.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise5x5s2[] = {
    entry<depthwise<5, 2>>("depthwise_5x5_s2", Family::depthwise, square(5, 2)),
};
extern constexpr KernelList unit_depthwise_5x5_s2 = list_of(kDepthwise5x5s2);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
