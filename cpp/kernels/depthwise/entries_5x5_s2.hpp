// Depthwise 5x5 with stride 2 in the registry.
#pragma once

#include "kernels/depthwise/heights.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise5x5s2[] = {
    entry<Tiled<Filter<5, 5, 2, 2>, Heights3, 2, 1>::run>("depthwise_5x5_s2", Family::depthwise, square(5, 2)),
};
extern constexpr KernelList unit_depthwise_5x5_s2 = list_of(kDepthwise5x5s2);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
