// The depthwise convolution that every instruction set has and that takes every problem: any filter, two taps at a time.
#pragma once

#include "kernels/int8/plain_pack.hpp"
#include "kernels/int8/plain_requantize.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr int kTapChunk = 64;  // pointers to taps gathered at a time

/// Weights as int16, [vector of bytes][pair of taps][quarter][channel][2].
inline void pack_depthwise(Int8PackWork& w) {
  pack_pairs(w, kByteLanes, 0, [&](std::int64_t c) { return w.x_zeros[c / w.channel_multiplier]; });
}

/// The inputs of a panel's outputs: adjacent channels, or, with a channel multiplier, each repeated.
struct PanelInput {
  std::int64_t first;
  int n;  ///< outputs
  bool repeated;
  std::int32_t offset[kByteLanes];  ///< from `first`

  PanelInput(const Int8DepthwiseWork& w, std::int64_t panel) {
    const std::int64_t c = panel * kByteLanes;
    n = static_cast<int>(w.channels - c < kByteLanes ? w.channels - c : kByteLanes);
    repeated = w.multiplier != 1;
    first = c / w.multiplier;
    for (int i = 0; i < n; ++i) offset[i] = static_cast<std::int32_t>((c + i) / w.multiplier - first);
  }

  [[gnu::always_inline]] I8 load_from(const std::int8_t* pixel, std::uint8_t flip) const {
    const std::int8_t* p = pixel + first;
    if (!repeated) return flipped(load_up_to(p, n), flip);
    std::int8_t lanes[kByteLanes] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[offset[i]];
    return flipped(load(lanes), flip);
  }
};

/// The taps of one output pixel, in the order of the weights, some at a time.
class Taps {
 public:
  Taps(const Int8DepthwiseWork& w, std::int64_t y_row, std::int64_t y_column)
      : w_(w), top_(y_row * w.stride_h - w.pad_top), left_(y_column * w.stride_w - w.pad_left) {}

  /// Pointers to the next taps' pixels; an even number of them, except that the last is repeated. Returns the pairs.
  int next(const std::int8_t** at) {
    int n = 0;
    for (; r_ < w_.kh && n < kTapChunk; ++n) {
      const std::int64_t y = top_ + r_ * w_.dilation_h, x = left_ + c_ * w_.dilation_w;
      const bool inside = y >= 0 && y < w_.height && x >= 0 && x < w_.width;
      at[n] = inside ? w_.x + y * w_.x_row + x * w_.x_pixel : w_.x_zero;
      if (++c_ == w_.kw) {
        c_ = 0;
        ++r_;
      }
    }
    if (n % 2 != 0) at[n] = at[n - 1];  // its weight is 0
    return (n + 1) / 2;
  }

 private:
  const Int8DepthwiseWork& w_;
  std::int64_t top_, left_, r_ = 0, c_ = 0;
};

/// One output pixel of a panel: its exact sums.
inline void depthwise_pixel(const Int8DepthwiseWork& w, const PanelInput& input, Taps taps, std::int64_t panel, std::int32_t* sums) {
  const auto* weights = static_cast<const std::int16_t*>(w.weights) + panel * ((w.kh * w.kw + 1) / 2) * 2 * kByteLanes;
  const std::int8_t* at[kTapChunk];
  Quad<std::int32_t> acc = load_quad(w.initial + panel * kByteLanes);
  for (int pairs = taps.next(at); pairs > 0; pairs = taps.next(at)) {
    for (int p = 0; p < pairs; ++p, weights += 2 * kByteLanes) {
      const I8 a = input.load_from(at[2 * p], w.x_flip), b = input.load_from(at[2 * p + 1], w.x_flip);
      const I16 a_lower = widen_lower(a), a_upper = widen_upper(a), b_lower = widen_lower(b), b_upper = widen_upper(b);
      const I16 x[4] = {zip_lower(a_lower, b_lower), zip_upper(a_lower, b_lower), zip_lower(a_upper, b_upper), zip_upper(a_upper, b_upper)};
      unroll<0, 4>([&](auto j) { acc.at[j] = add(acc.at[j], dot_pairs(x[j], load(weights + j * 2 * kLanes))); });
    }
  }
  unroll<0, 4>([&](auto j) { store(sums + j * kLanes, acc.at[j]); });
}

template <class Out>
inline void plain_depthwise(const Int8DepthwiseWork& w) {
  alignas(64) std::int32_t sums[kByteLanes];
  for (std::int64_t panel = w.panel_begin; panel < w.panel_end; ++panel) {
    const PanelInput input(w, panel);
    for (std::int64_t row = w.y_begin; row < w.y_end; ++row) {
      Out* y = static_cast<Out*>(w.y) + (row - w.y_begin) * w.y_row;
      const std::int8_t* r = w.residual.data == nullptr ? nullptr : w.residual.data + (row - w.y_begin) * w.residual.row;
      for (std::int64_t column = 0; column < w.out_width; ++column, y += w.y_pixel) {
        depthwise_pixel(w, input, Taps(w, row, column), panel, sums);
        requantize(sums, panel * kByteLanes, input.n, w.q, w.residual, r, y, w.y_flip);
        if (r != nullptr) r += w.residual.pixel;
      }
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
