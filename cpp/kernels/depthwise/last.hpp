// The generic depthwise kernel for the last vector of channels, of which some lanes exist.
#pragma once

#include "kernels/depthwise/generic.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

void last_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end) { windows_of<FirstChannels>(w, v_begin, v_end); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
