// Depthwise 5x5 with stride 1 in the registry.
#pragma once

#include "kernels/depthwise/design.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise5x5s1[] = {
    entry<depthwise<5, 1>>("depthwise_5x5_s1", Family::depthwise, square(5, 1)),
};
extern constexpr KernelList unit_depthwise_5x5_s1 = list_of(kDepthwise5x5s1);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
