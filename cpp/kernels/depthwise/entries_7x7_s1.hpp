// Depthwise 7x7 with stride 1 in the registry.
#pragma once

#include "kernels/depthwise/heights.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise7x7s1[] = {
    entry<Tiled<Filter<7, 7, 1, 1>, Heights7, kMany ? 4 : 1, 1>::run>("depthwise_7x7_s1", Family::depthwise, square(7, 1)),
};
extern constexpr KernelList unit_depthwise_7x7_s1 = list_of(kDepthwise7x7s1);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
