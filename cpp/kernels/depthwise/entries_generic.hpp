// The generic depthwise kernel, last in the registry. A line above it adds a specialised kernel.
#pragma once

#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/heights.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwiseGeneric[] = {
    entry<depthwise_generic>("depthwise_generic", Family::depthwise),
};
extern constexpr KernelList unit_depthwise_generic = list_of(kDepthwiseGeneric);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
