// Work struct of standard convolutions. All strides and offsets count floats.
#pragma once

#include <algorithm>

#include "kernels/conv_work.hpp"

namespace dwsep {

/// Where the columns of one position lie in y if they belong to several pixels of it: columns are [row][pixel][channel]. Those of
/// position (oy, ox) begin at row oy * stride_h + first_h and pixel ox * stride_w + first_w; what lies outside of y is not stored.
struct Spread {
  std::int64_t pixels, channels;
  std::int64_t stride_h, stride_w, first_h, first_w;
  std::int64_t row, pixel;  ///< strides of y
  std::int64_t height, width;
  /// Rows, and pixels of each, whose columns meet all taps; the others do not meet the first one of an axis. Others than all with planes
  /// only.
  std::int64_t whole_rows, whole_pixels;
};

/// Packed weights and bias of a group.
struct GroupWeights {
  const float *weights, *bias;
};

/// Standard convolution of output positions, rows [y_begin, y_end) x [0, out_width) of one image, and panels [gemm.panel_begin,
/// gemm.panel_end). In `gemm` the weights, bias, panels and activation are set; a, y and residual point at pixel 0 of row 0 of the image.
struct StandardWork {
  GemmWork gemm;
  std::int64_t x_row, x_pixel, height, width, channels;
  std::int64_t x_channel = 1, y_channel = 1;  ///< from one channel to the next: others, which are planes, with `planes` only
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  std::int64_t y_row, y_pixel, residual_row, residual_pixel;  ///< from one position to the next
  std::int64_t y_begin, y_end, out_width;
  /// Or null. Else each tile of positions meets the panels of so many groups one after the other: `x_group` apart in x and side by side in
  /// y, from that of `gemm` on.
  const GroupWeights* groups;
  std::int64_t group_count, x_group;
  const Spread* spread;  ///< or null: a position is a pixel of y. With a spread there is no residual
  /// Taps of a row of the filter, and channels of a tap, that are summed up for all positions before the next ones; 0 taps: all of the
  /// filter for each tile. Then only a spread needs `sums`.
  std::int64_t block_taps, block_channels;
  Segment* segments;  ///< scratch for kh * kw entries
  float* sums;        ///< scratch for the widest panel of all positions
  float* planes;      ///< or null: scratch of PlaneSizes; lanes are positions then, of one panel
};

/// The part of a work that columns [begin, end) of its positions are. `spread` gets their Spread, where the work has one.
inline StandardWork columns_of(const StandardWork& w, std::int64_t begin, std::int64_t end, Spread& spread) {
  StandardWork part = w;
  part.pad_left -= begin * w.stride_w;
  part.out_width = end - begin;
  if (w.spread == nullptr) {
    part.gemm.y += begin * w.y_pixel;
    if (w.gemm.residual != nullptr) part.gemm.residual += begin * w.residual_pixel;
  } else {
    spread = *w.spread;
    spread.first_w += begin * spread.stride_w;
    part.spread = &spread;
  }
  return part;
}

/// Positions of an axis of the input that `outputs` adjacent outputs read, at most.
inline std::int64_t input_span(std::int64_t outputs, std::int64_t taps, std::int64_t stride, std::int64_t dilation, std::int64_t size) {
  return std::min((outputs - 1) * stride + (taps - 1) * dilation + 1, size);
}

/// Scratch of positions as lanes: a row of the input as planes of channels, and rows of sums as planes of output columns.
struct PlaneSizes {
  std::int64_t x_plane, x_row;  ///< floats from one plane to the next, of a row
  std::int64_t y_plane, y_row;

  PlaneSizes(std::int64_t positions, std::int64_t channels, std::int64_t columns, std::int64_t kw, std::int64_t dilation_w)
      : x_plane(plane(positions + (kw - 1) * dilation_w)), x_row(x_plane * channels), y_plane(plane(positions)), y_row(y_plane * columns) {}

 private:
  /// Room for two of the widest vectors that begin at the last position, and never a power of two.
  static std::int64_t plane(std::int64_t positions) { return (positions + 46) / 32 * 32 + 16; }
};

}  // namespace dwsep
