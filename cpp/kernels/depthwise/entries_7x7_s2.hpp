// Depthwise 7x7 with stride 2 in the registry.
#pragma once

#include "kernels/depthwise/heights.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise7x7s2[] = {
    entry<Tiled<Filter<7, 7, 2, 2>, Heights7, 2, 1>::run>("depthwise_7x7_s2", Family::depthwise, square(7, 2)),
};
extern constexpr KernelList unit_depthwise_7x7_s2 = list_of(kDepthwise7x7s2);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
