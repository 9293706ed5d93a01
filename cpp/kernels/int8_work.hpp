// Work structs of int8 kernels. Strides of x, y and residual count elements; all arrays that pack functions fill begin on a cache line.
//
// A tensor of uint8 holds the same values 128 higher: kernels xor its bytes with 0x80 (the `flip` members) and compute in int8 alone. Zero
// points, bounds and tables are those of int8 everywhere.
#pragma once

#include <cstdint>
#include <limits>

#include "dwsep/options.hpp"

namespace dwsep {

/// From exact sums to stored values, for each output channel c:  v = float(sum) * multiplier[c] [+ float(r - residual zero) * residual
/// scale]
///   int8 output:   y = clamp(round_half_even(v) + zero, lo, hi)
///   float output:  y = min(max(v, real_lo), real_hi)
/// Every operation rounds once: no fused multiply-add. v may exceed int32 and is clamped before it is rounded. An activation that is no
/// clip is no kernel's business: the runtime asks for float output and has a second pass follow. So it has the table of a function follow.
struct Requantize {
  const float* multiplier;    ///< packed as the initial sums are
  std::int32_t zero, lo, hi;  ///< of y, as int8
  const std::int32_t *zeros, *los,
      *his;                ///< or null, all three: those of each channel, in the channels' own order, as many as initial sums
  float real_lo, real_hi;  ///< float output
  float most = std::numeric_limits<float>::infinity();  ///< no multiplier is greater
};

/// What is added before y is rounded.
struct Int8Residual {
  const std::int8_t* data;  ///< or null
  std::int64_t row, pixel;  ///< a matrix product reads `row` alone
  float scale;              ///< int8 output: that of the residual / that of y; float output: that of the residual
  std::int32_t zero;
  std::uint8_t flip;
};

/// y[m][n] = requantize(initial[n] + sum over k of a[m][k] w[k][n]); what zero points add is in `initial`.
struct Int8GemmWork {
  const std::int8_t* a;
  std::int64_t a_row;
  std::uint8_t a_flip, y_flip;
  std::int64_t k;
  const void* b;                ///< packed by the entry's own `pack`
  const std::int32_t* initial;  ///< packed likewise
  Requantize q;
  void* y;  ///< int8 or float, as the entry's types say
  std::int64_t y_row;
  Int8Residual residual;
  std::int64_t rows;
  std::int64_t block_rows;  ///< rows walked for each panel before the next panel
  std::int64_t columns;
  std::int64_t panel_begin, panel_end;  ///< to compute
};

/// Depthwise convolution of output rows [y_begin, y_end) and panels [panel_begin, panel_end) of one image.
struct Int8DepthwiseWork {
  const std::int8_t* x;  ///< row 0, pixel 0, channel 0
  std::int64_t x_row, x_pixel, height, width;
  std::uint8_t x_flip, y_flip;
  const std::int8_t* x_zero;    ///< what a tap in the padding reads: a value for each input channel, as x stores it
  const void* weights;          ///< packed by the entry's own `pack`
  const std::int32_t* initial;  ///< packed likewise
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  Requantize q;
  void* y;  ///< row y_begin, pixel 0, channel 0
  std::int64_t y_row, y_pixel;
  std::int64_t y_begin, y_end;
  std::int64_t out_width;
  std::int64_t channels;  ///< of the output
  std::int64_t multiplier;
  std::int64_t panel_begin, panel_end;
  Int8Residual residual;  ///< of row y_begin
};

/// What an entry's `pack` is given. With `packed` null it only sets the sizes; else it fills `packed`, `initial` and `multiplier` in the
/// order its kernel reads, zeros behind the last column.
struct Int8PackWork {
  const std::int8_t* weights;  ///< row k begins at weights + k * weights_row; a depthwise filter's rows are its taps, kh * kw of them
  std::int64_t k, columns, weights_row;
  std::int64_t kh, kw, channel_multiplier;  ///< depthwise: columns = channels * channel_multiplier
  const std::int32_t* bias;                 ///< one for each column
  const std::int32_t* x_zeros;              ///< a matrix product: one; depthwise: one for each input channel
  const std::int32_t* weight_zeros;         ///< or null: one for each column
  const float* multipliers;                 ///< one for each column

  std::int64_t bytes;                  ///< of `packed`
  std::int64_t sums;                   ///< of `initial`, as of `multiplier`
  std::int64_t panels, panel_columns;  ///< what threads may divide
  std::int64_t together;               ///< depthwise: rows of outputs that take as long as one, or 0 where one takes its own time
  std::int64_t k_padded;               ///< a matrix product whose rows of x have as many bytes takes it for k: weights behind k are zeros

  void* packed;
  std::int32_t* initial;
  float* multiplier;
};

/// The second pass over a block of real values: y = a(v), or clamp(round_half_even(a(v) / scale) + zero, -128, 127), with the bits of every
/// instruction set alike.
struct Int8FinishWork {
  const float* v;
  std::int64_t v_row, rows, columns;
  Activation activation;
  const float* scales;        ///< int8 output: those of each column, and as many more as fill a vector of bytes
  const std::int32_t* zeros;  ///< likewise
  std::uint8_t y_flip;
  void* y;  ///< float (may be v itself) or int8, as the entry's types say
  std::int64_t y_row;
};

}  // namespace dwsep
