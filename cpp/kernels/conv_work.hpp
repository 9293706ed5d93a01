// Work structs of convolution kernels: arguments of one call. All strides and offsets count floats.
#pragma once

#include <cstdint>

#include "dwsep/options.hpp"

namespace dwsep {

/// Vectors in the widest panels of packed weights.
constexpr int kMaxPanelVectors = 3;

/// How the last panel of a matrix holds half a vector of columns more than whole vectors.
enum class HalfPanel { none, narrow };

/// Depthwise convolution of output rows [y_begin, y_end) and channel vectors [v_begin, v_end) of one image.
struct DepthwiseWork {
  const float* x;               ///< row 0 (or ring slot 0), pixel 0, channel 0
  std::int64_t x_row, x_pixel;  ///< strides of the input
  std::int64_t x_vector;        ///< from one vector of channels to the next: the lanes of a vector, more in a channel-blocked buffer
  std::int64_t height, width;   ///< of the input
  std::int64_t ring;            ///< input row r is in slot r % ring; height if the whole image is in memory
  const float* weights;         ///< packed [vector][kw][kh][lane]
  const float* bias;            ///< packed [vector][lane]
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  float* y;                     ///< row y_begin, pixel 0, channel 0
  std::int64_t y_row, y_pixel;  ///< strides of the output
  std::int64_t y_begin, y_end;  ///< rows to compute
  std::int64_t out_width;
  std::int64_t v_begin, v_end;  ///< channel vectors to compute
  std::int64_t channels;        ///< of the output; the last vector may be partial
  std::int64_t multiplier;
  std::int64_t l1_bytes, l2_bytes;  ///< the processor's caches of data
  float* row_sums;  ///< or null; gets each output row's sum over out_width pixels: row y_begin first, channels packed as bias is
  std::int64_t row_sums_stride;
  const float* residual;  ///< or null: as y, added to it before the activation
  std::int64_t residual_row, residual_pixel;
  float lo, hi;  ///< what sums are clipped to as they are stored
  bool finish;   ///< whether the residual, or an activation that is no clip, follows in a second pass over each row
  Activation activation;
  const DepthwiseWork* source;  ///< or null: whose rows, as they are needed, kernels of 3x3 to 7x7 copy to the ring at x
};

/// A contiguous run of input values: its start for pixel 0 of a tile, its first row in the packed weights, its length.
struct Segment {
  std::int64_t a, k, length;
};

/// Matrix product: rows are output pixels, columns output channels. y[m][n] = activation(init[n] + sum_k a[m][k] b[k][n] + residual[m][n]).
struct GemmWork {
  const float* a;
  std::int64_t a_row;
  const Segment* segments;  ///< the sum over k runs over these, in order
  std::int64_t segment_count;
  const float* b;     ///< packed panels [panel][k][column]; all but the last are panel_vectors wide
  std::int64_t k;     ///< rows of b
  const float* bias;  ///< padded to whole panels
  float* y;
  std::int64_t y_row, y_vector;  ///< y_vector: from one vector of channels to the next
  const float* residual;         ///< or null
  std::int64_t residual_row;
  std::int64_t rows;
  std::int64_t block_rows;  ///< rows walked for each panel before the next panel
  std::int64_t columns;
  int panel_vectors, last_panel_vectors;
  HalfPanel last_panel_half;
  std::int64_t panels;                  ///< of b altogether
  std::int64_t panel_begin, panel_end;  ///< to compute
  bool fetch_again;                     ///< whether panels have left the level-2 cache when the next block of rows wants them
  bool far;                             ///< whether inputs and output are in the last cache or beyond: tiles may fetch both
  Activation activation;
};

}  // namespace dwsep
