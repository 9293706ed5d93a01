// The generic depthwise kernel for channel multipliers.
#pragma once

#include "kernels/depthwise/folded.hpp"
#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/taps.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// All lanes belong to one input channel: the multiplier is a number of whole vectors, or there is but one input channel.
struct OneChannel {
  static constexpr bool kShares = false, kRepeats = false, kOne = true;
  OneChannel(const DepthwiseWork&, std::int64_t) {}
  static bool fits(const DepthwiseWork& w) { return w.multiplier % kLanes == 0 || w.multiplier == w.channels; }
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) { return v * kLanes / w.multiplier; }
  static std::int64_t same(const DepthwiseWork& w, std::int64_t v) {
    return w.multiplier == w.channels ? w.v_end - v : (offset(w, v) + 1) * (w.multiplier / kLanes) - v;
  }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return broadcast(*p); }
};

/// Whether so many tenths of the outputs meet all taps.
inline bool meet_all_taps(const DepthwiseWork& w, std::int64_t tenths) {
  const Axis down = rows_of(w), across = columns_of(w);
  const InsideRange rows(down.outputs, down.stride, down.pad, down.dilation, down.taps, down.size);
  const InsideRange columns(across.outputs, across.stride, across.pad, across.dilation, across.taps, across.size);
  return (rows.end - rows.begin) * (columns.end - columns.begin) * 10 >= down.outputs * across.outputs * tenths;
}

/// Whether lists of taps that read each input where it is take no longer than copies of windows, whose kernels read twice as fast: where
/// few taps read an input, few outputs are at an edge, and a copy serves one vector. us, copies / lists (Zen 3, 2026-11-29): 101x101
/// 32->160 2x1 s3 351 / 40, 62x62 27->189 4x4 s3 250 / 81, 56x56 32->64 3x3 s2 64 / 38, 40x40 20->120 7x7 s3 132 / 64, 20x20 24->72 2x2 18
/// / 11, 33x33 20->100 1x9 134 / 82, 3x4 137 / 104; 20x20 24->120 3x3 31 / 35, 28x28 4->128 3x3 s2 13 / 16, 9x9 90->540 5x5 s(2, 3) 24 /
/// 37, 5x5 654->3924 1x6 s2 35 / 49. By the share of outputs that meet all taps (2026-11-30): 0.25 12x12 40->120 7x7 s3 11 / 24, 0.36 9x9
/// 90->540 5x5 s2 28 / 81, 0.48 5x5 128->512 3x2 12 / 9, 0.73 14x14 64->128 3x3 s2 10 / 7; between 0.27 and 0.49 others gain either way.
inline bool lists_pay(const DepthwiseWork& w) {
  const std::int64_t taps = w.kh * w.kw, strides = w.stride_h * w.stride_w;
  if (taps > at_most(12 * strides, kMostTaps) || w.multiplier % (2 * kLanes) == 0 || (w.kh == 3 && w.kw == 3 && strides == 1)) return false;
  return meet_all_taps(w, 4);
}

/// The same where the lanes of a vector read one channel each: a tap is a broadcast from memory. us, copies / lists (Zen 3): 6x6 40->640
/// 2x3 35 / 11, 28x28 128->2048 3x3 4072 / 1042, 64->512 3x3 264 / 202, 5x5 513 / 447, 64x64 3->96 7x7 s2 201 / 136, but 3->72 7x7 423 /
/// 596, 32x32 4->128 9x9 277 / 312; of one channel, whose copy serves all vectors, 32x32 1->64 5x5 s2 18 / 13, 56x56 1->16 3x3 18 / 19;
/// where half of the outputs are at an edge 12x12 76->608 7x7 s2 58 / 181, 5x5 64->512 3x3 8 / 25, 21x14 16->384 5x5 100 / 191.
inline bool one_channel_lists_pay(const DepthwiseWork& w) {
  const std::int64_t taps = w.kh * w.kw, strides = w.stride_h * w.stride_w;
  return meet_all_taps(w, taps < 25 ? 5 : 7) && taps <= at_most(30 * strides, kMostTaps) && (w.multiplier < w.channels || strides > 1);
}

/// Lists alone.
template <class Channels>
[[gnu::noinline]] inline void by_lists(const DepthwiseWork& w) {
  tap_tiles<Channels>(w, rows_of(w), columns_of(w), w.v_begin, w.v_end, [](auto...) { return std::int64_t{0}; });
}

void depthwise_multiplied(const DepthwiseWork& w) {
  const std::int64_t v_begin = w.v_begin, v_end = w.v_end;
  if constexpr (kLanes == 8 && kRegisters == 16) {
    // Where vectors of a pixel are no fuller than 6 of 7 channels. us without / so (Zen 3): 64x64 1->4 3x3 34 / 18, 50x50 2->10 1x5 31 /
    // 21, 56x56 2->6 3x3 27 / 21, but 33x33 1->5 5x5 14 / 15, 25x25 3->60 3x3 20 / 25.
    const bool loose = w.channels * 7 <= v_end * kLanes * 6;
    if (w.channels < 4 * w.multiplier && w.multiplier % kLanes != 0 && w.kh * w.kw <= 9 && loose) {
      if (const Folded folded(w); folded.fits()) return folded.run(by_lists<FourChannels>, depthwise_multiplied);
    }
    if (OneChannel::fits(w) && one_channel_lists_pay(w)) return by_lists<OneChannel>(w);
    if (w.channels >= 4 * w.multiplier) {
      if (lists_pay(w)) return by_lists<FourChannels>(w);
      if (!OneChannel::fits(w)) return windows_of<RepeatedChannels>(w, v_begin, v_end, WindowCopy::of<FourChannels>());
    }
  }
  windows_of<RepeatedChannels>(w, v_begin, v_end, OneChannel::fits(w) ? WindowCopy::of<OneChannel>() : WindowCopy::of<RepeatedChannels>());
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
