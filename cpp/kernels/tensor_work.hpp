// Work structs of kernels other than convolutions, as in conv_work.hpp. All strides count floats. Rows are apart
// by any stride, their elements are adjacent.
#pragma once

#include <cstdint>

#include "dwsep/options.hpp"

namespace dwsep {

/// y = activation(x); y may be x, or not overlap it
struct MapWork {
  const float* x;
  float* y;
  std::int64_t x_row, y_row, rows, columns;
  Activation activation;
};

enum class UnaryFunction : std::int32_t {
  exp,
  sqrt,
  neg,
  abs,
  erf,
  reciprocal,
  floor,
  ceil,
  round,
  log,
  softplus,
  sin,
  cos,
  sign,
  selu,
  mish,
  softsign,
  gelu_tanh
};

/// y = function(x)
struct UnaryWork {
  UnaryFunction function;
  const float* x;
  float* y;
  std::int64_t x_row, y_row, rows, columns;
};

enum class BinaryFunction : std::int32_t { add, sub, mul, div, min, max, prelu, pow, elu };

/// y = activation(a op b); y may be a or b, or overlap neither
struct BinaryWork {
  BinaryFunction function;
  const float *a, *b;
  float* y;
  std::int64_t a_row, b_row, y_row;
  bool a_alone, b_alone;  ///< one value for all columns of a row
  std::int64_t rows, columns;
  Activation activation;
};

enum class ReduceFunction : std::int32_t { sum, max, min };

/// y[row][column] = x[row][0][0][column] op x[row][0][1][column] op ..., divided by divisor: steps from left to right for each outer step,
/// and then their results in order.
struct ReduceWork {
  ReduceFunction function;
  const float* x;
  std::int64_t x_row, x_outer, x_step;
  float* y;
  std::int64_t y_row, rows, outer_steps, steps, columns;
  float divisor;
};

/// The same over the columns of each row; y has one value a row.
struct ReduceRowsWork {
  ReduceFunction function;
  const float* x;
  float* y;
  std::int64_t x_row, y_row, rows, columns;
  float divisor;
};

/// Pooling of output rows [y_begin, y_end) of one image.
struct PoolWork {
  bool max;              ///< else the average
  bool include_padding;  ///< the average counts it
  const float* x;
  std::int64_t x_row, x_pixel, height, width;
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  float* y;  ///< row 0
  std::int64_t y_row, y_pixel, y_begin, y_end, out_width, channels;
};

/// Softmax of rows, or its logarithm.
struct SoftmaxWork {
  bool log;
  const float* x;
  float* y;
  std::int64_t x_row, y_row, rows, columns;
};

/// Softmax over `steps` values `step` floats apart, for each column.
struct SoftmaxStepsWork {
  bool log;
  const float* x;
  float* y;
  std::int64_t x_step, y_step, steps, columns;
};

/// (x - mean) / sqrt(variance + epsilon) * scale + shift of rows. `alone`: scale and shift are one number each.
struct LayerNormWork {
  const float *x, *scale, *shift;
  float* y;
  std::int64_t x_row, y_row, rows, columns;
  float epsilon;
  bool alone;
};

/// Up to four inputs of an output along one axis, and their weights.
struct ResizeTaps {
  std::int32_t at[4];
  float weight[4];
};

/// One row of an image with another width: every pixel is a weighted sum of `taps` pixels, 1, 2 or 4.
struct ResizeWork {
  int taps;
  const float* x;  ///< the row
  std::int64_t x_pixel;
  const ResizeTaps* columns;  ///< for each output pixel
  float* y;
  std::int64_t y_pixel, out_width, channels;
};

/// y = weights[0] x[0] + weights[1] x[1] + ... of 2 or 4 contiguous rows.
struct BlendWork {
  int taps;
  const float* x[4];
  float weights[4];
  float* y;
  std::int64_t y_row, rows, columns;
};

/// y[column][row] = x[row][column]
struct TransposeWork {
  const float* x;
  float* y;
  std::int64_t x_row, y_row, rows, columns;
};

/// y[column * rows + row] = x[row * x_row + column], of two to four rows of bytes.
struct BytePlanesWork {
  const std::int8_t* x;
  std::int8_t* y;
  std::int64_t x_row, rows, columns;
};

}  // namespace dwsep
