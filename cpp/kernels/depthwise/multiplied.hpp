// The generic depthwise kernel for channel multipliers.
#pragma once

#include "kernels/depthwise/generic.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

void depthwise_multiplied(const DepthwiseWork& w) { windows_of<RepeatedChannels>(w, w.v_begin, w.v_end); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
