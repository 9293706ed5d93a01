// The generic depthwise kernel, last in the registry. A line above it adds a specialised kernel.
#pragma once

#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/heights.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Compiled in a unit of its own.
void depthwise_multiplied(const DepthwiseWork& w);

void whole_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end) { blocks_of<WholeChannels>(w, v_begin, v_end); }

inline void depthwise_generic(const DepthwiseWork& w) {
  if (w.multiplier > 1) return depthwise_multiplied(w);
  const std::int64_t whole = at_least(at_most(w.v_end, w.channels / kLanes), w.v_begin);
  if (w.v_begin < whole) whole_blocks(w, w.v_begin, whole);
  if (whole < w.v_end) windows_of<FirstChannels>(w, whole, w.v_end);
}

constexpr KernelEntry kDepthwiseGeneric[] = {
    entry<depthwise_generic>("depthwise_generic", Family::depthwise),
};
extern constexpr KernelList unit_depthwise_generic = list_of(kDepthwiseGeneric);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
