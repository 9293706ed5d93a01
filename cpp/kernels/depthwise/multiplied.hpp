// The generic depthwise kernel for channel multipliers.
#pragma once

#include "kernels/depthwise/generic.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// All lanes belong to one input channel: the multiplier is a number of whole vectors, or there is but one input channel.
struct OneChannel {
  OneChannel(const DepthwiseWork&, std::int64_t) {}
  static bool fits(const DepthwiseWork& w) { return w.multiplier % kLanes == 0 || w.multiplier == w.channels; }
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) { return v * kLanes / w.multiplier; }
  static std::int64_t same(const DepthwiseWork& w, std::int64_t v) {
    return w.multiplier == w.channels ? w.v_end - v : (offset(w, v) + 1) * (w.multiplier / kLanes) - v;
  }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return broadcast(*p); }
};

void depthwise_multiplied(const DepthwiseWork& w) {
  if (OneChannel::fits(w)) return windows_of<RepeatedChannels, OneChannel>(w, w.v_begin, w.v_end);
  windows_of<RepeatedChannels>(w, w.v_begin, w.v_end);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
