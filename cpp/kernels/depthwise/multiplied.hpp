// The generic depthwise kernel for channel multipliers.
#pragma once

#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/taps.hpp"

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

/// Whether lists of taps that read each input where it is take no longer than copies of windows, whose kernels read twice as fast: where
/// few taps read an input, few outputs are at an edge, and a copy serves one vector. us, copies / lists (Zen 3, 2026-11-29): 101x101
/// 32->160 2x1 s3 351 / 40, 62x62 27->189 4x4 s3 250 / 81, 56x56 32->64 3x3 s2 64 / 38, 40x40 20->120 7x7 s3 132 / 64, 20x20 24->72 2x2 18
/// / 11, 33x33 20->100 1x9 134 / 82, 3x4 137 / 104; 20x20 24->120 3x3 31 / 35, 28x28 4->128 3x3 s2 13 / 16, 9x9 90->540 5x5 s(2, 3) 24 /
/// 37, 5x5 654->3924 1x6 s2 35 / 49.
inline bool lists_pay(const DepthwiseWork& w, const Axis& down, const Axis& across) {
  const std::int64_t taps = w.kh * w.kw, strides = w.stride_h * w.stride_w;
  if (taps > at_most(12 * strides, kMostTaps) || w.multiplier % (2 * kLanes) == 0 || (w.kh == 3 && w.kw == 3 && strides == 1)) return false;
  const InsideRange rows(down.outputs, down.stride, down.pad, down.dilation, down.taps, down.size);
  const InsideRange columns(across.outputs, across.stride, across.pad, across.dilation, across.taps, across.size);
  return (rows.end - rows.begin) * (columns.end - columns.begin) * 5 >= down.outputs * across.outputs * 2;
}

void depthwise_multiplied(const DepthwiseWork& w) {
  const std::int64_t v_begin = w.v_begin, v_end = w.v_end;
  if constexpr (kLanes == 8 && kRegisters == 16) {
    if (w.channels >= 4 * w.multiplier) {
      const Axis down = rows_of(w), across = columns_of(w);
      if (lists_pay(w, down, across)) {
        return tap_tiles<FourChannels>(w, down, across, v_begin, v_end, [](auto...) { return std::int64_t{0}; });
      }
      if (!OneChannel::fits(w)) return windows_of<RepeatedChannels>(w, v_begin, v_end, WindowCopy::of<FourChannels>());
    }
  }
  windows_of<RepeatedChannels>(w, v_begin, v_end, OneChannel::fits(w) ? WindowCopy::of<OneChannel>() : WindowCopy::of<RepeatedChannels>());
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
