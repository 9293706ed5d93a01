// The depthwise kernel for everything else in the registry: it comes last. One line above it is a kernel of its own.
#pragma once

#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/heights.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kDepthwiseGeneric[] = {
    entry<depthwise_generic>("depthwise_generic", Family::depthwise),
};
extern constexpr KernelList unit_depthwise_generic = list_of(kDepthwiseGeneric);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
