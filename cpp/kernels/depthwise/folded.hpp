// Images whose pixels have fewer channels than a vector, at stride 1 along the row: adjacent pixels side by side are one of more channels,
// whose weights repeat. Their taps are a pixel apart as before, their outputs as many as lie side by side.
#pragma once

#include "kernels/depthwise/generic.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Outputs of a row that meet all taps, by such pixels; those at the borders, and whatever follows sums, as without.
class Folded {
 public:
  explicit Folded(const DepthwiseWork& w)
      : w_(w), inside_(w.out_width, w.stride_w, w.pad_left, w.dilation_w, w.kw, w.width), inputs_(w.channels / w.multiplier) {
    // Four inputs are what a vector of repeated channels reads.
    while (pixels_ * w.channels % kLanes != 0 || (w.multiplier > 1 && pixels_ * inputs_ < 4)) pixels_ *= 2;
  }

  /// Whether that is so and pays: outputs inside outweigh packing, for each vector of pixels side by side, and borders. us without / so
  /// (Zen 3): 3x3 64x64x1 31 / 10, 64x64x3 23 / 11, 64x64x7 25 / 19, 18x18x3 3.1 / 2.8, 14x14x3 2.2 / 2.7, 14x14x4 2.3 / 2.2; 243x243x2 3x1
  /// 232 / 34; 128x128x1 11x11 974 / 171; 5x5 20x20x1 6.0 / 3.9, 9x9 32x32x1 27 / 15; 40x40x5 7x7 27 / 31. Of 297 such layers the rule
  /// takes 1.02 times what the better way of each takes, 1.05 by 12 taps + 64 for all vectors together, never 1.21, always 1.08.
  bool fits() const {
    const std::int64_t taps = w_.kh * w_.kw, inside = inside_.end - inside_.begin, vectors = pixels_ * w_.channels / kLanes;
    const bool pays = inside >= at_least(pixels_, 10) && inside * (w_.y_end - w_.y_begin) >= (2 * taps + 100) * vectors &&
                      (w_.channels <= 4 || taps < 25 || taps > 49);
    const bool adjacent = w_.x_vector == kLanes && w_.x_pixel == inputs_ && w_.y_pixel == w_.channels && w_.ring >= w_.height;
    const bool all = w_.v_begin == 0 && w_.v_end * kLanes >= w_.channels;
    return kLanes == 8 && kRegisters == 16 && adjacent && all && w_.stride_w == 1 && pays && pixels_ * w_.channels * (taps + 1) <= kMost;
  }

  /// Pixels side by side by `inner`, borders by `outer`.
  [[gnu::noinline]] void run(void (*inner)(const DepthwiseWork&), void (*outer)(const DepthwiseWork&)) const {
    const std::int64_t taps = w_.kh * w_.kw, channels = pixels_ * w_.channels, rows = w_.y_end - w_.y_begin;
    alignas(64) float packed[kMost];
    float* const bias = packed + channels * taps;
    for (std::int64_t c = 0, from = 0; c < channels; ++c, from = from + 1 < w_.channels ? from + 1 : 0) {
      const std::int64_t v = c / kLanes, of = from / kLanes, lane = from % kLanes;
      float* to = packed + v * taps * kLanes + c % kLanes;
      const float* weights = w_.weights + of * taps * kLanes + lane;
      for (std::int64_t i = 0; i < taps; ++i, to += kLanes, weights += kLanes) *to = *weights;
      bias[c] = w_.bias[from];
    }
    DepthwiseWork part = w_;
    part.finish = false;
    part.row_sums = nullptr;
    const auto others = [&](std::int64_t begin, std::int64_t end) {
      if (begin >= end) return;
      DepthwiseWork some = part;
      some.pad_left -= begin;
      some.out_width = end - begin;
      some.y += begin * w_.y_pixel;
      outer(some);
    };
    others(0, inside_.begin);
    others(inside_.end, w_.out_width);
    part.weights = packed;
    part.bias = bias;
    part.channels = channels;
    part.v_end = channels / kLanes;
    part.stride_w = pixels_;
    part.y_pixel = pixels_ * w_.y_pixel;
    part.pad_left = 0;
    const auto inner_outputs = [&](std::int64_t begin, std::int64_t count) {
      DepthwiseWork some = part;
      some.x += (begin - w_.pad_left) * w_.x_pixel;
      some.y += begin * w_.y_pixel;
      some.out_width = count;
      some.width = (count - 1) * pixels_ + (w_.kw - 1) * w_.dilation_w + 1;
      inner(some);
    };
    const std::int64_t outputs = inside_.end - inside_.begin;
    inner_outputs(inside_.begin, outputs / pixels_);
    if (outputs % pixels_ != 0) inner_outputs(inside_.end - pixels_, 1);  // some of them once more
    finish_rows(w_, 0, static_cast<int>(rows), w_.v_begin, w_.v_end);
  }

 private:
  /// Floats of weights and bias. With room for those of 33x33 one channel takes 1,031 us for 1,049 (Zen 3).
  static constexpr std::int64_t kMost = 8192;
  const DepthwiseWork& w_;
  InsideRange inside_;
  std::int64_t inputs_, pixels_ = 1;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
