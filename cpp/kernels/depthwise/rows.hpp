// Where the rows of an image lie, for depthwise kernels.
#pragma once

#include "kernels/activation/epilogue.hpp"
#include "kernels/table.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Start of input row r, or null for a row of padding.
[[gnu::always_inline]] inline const float* input_row(const DepthwiseWork& w, std::int64_t r) {
  if (r < 0 || r >= w.height) return nullptr;
  return w.x + (w.ring >= w.height ? r : r % w.ring) * w.x_row;
}

/// x cut to [0, limit].
[[gnu::always_inline]] inline int clamp_to(std::int64_t x, int limit) { return x < 0 ? 0 : (x < limit ? static_cast<int>(x) : limit); }

/// Channels of vector v that exist: all lanes, except in the last vector.
[[gnu::always_inline]] inline int valid_lanes(const DepthwiseWork& w, std::int64_t v) {
  const std::int64_t rest = w.channels - v * kLanes;
  return rest < kLanes ? static_cast<int>(rest) : kLanes;
}

/// Applies what the registers did not: all activations but clips, to pixels of one output row.
[[gnu::always_inline]] inline void finish_pixels(const DepthwiseWork& w, float* y, std::int64_t pixels, std::int64_t v_begin,
                                                 std::int64_t v_end) {
  if (w.activation.kind == ActivationKind::clip) return;
  const std::int64_t end = v_end * kLanes < w.channels ? v_end * kLanes : w.channels;
  activate_block(y + v_begin * kLanes, pixels, w.y_pixel, end - v_begin * kLanes, w.activation);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
