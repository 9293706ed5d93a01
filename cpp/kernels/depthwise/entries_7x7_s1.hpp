// Depthwise 7x7 with stride 1 in the registry.
#pragma once

#include "kernels/depthwise/design.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwise7x7s1[] = {
    entry<depthwise<7, 1>>("depthwise_7x7_s1", Family::depthwise, square(7, 1)),
};
extern constexpr KernelList unit_depthwise_7x7_s1 = list_of(kDepthwise7x7s1);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
