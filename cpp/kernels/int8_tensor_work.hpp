// Work structs of int8 kernels other than convolutions. Strides count elements. A tensor of uint8 holds the same values 128 higher: its
// bytes are xored with 0x80 (the `flip` members), and zero points and bounds are those of int8.
#pragma once

#include <cstdint>

#include "kernels/tensor_work.hpp"

namespace dwsep {

/// y = clamp(round_half_even(v) + zero, lo, hi); every operation rounds once.
///   sum:      v = float(a - a_zero) * a_scale + float(b - b_zero) * b_scale
///   product:  v = float(a - a_zero) * float(b - b_zero) * a_scale
/// where `zero_first`, with `first` in place of zero, before it is rounded, and multiply-adds that are fused on every instruction set:
///   sum:      v = (a - a_zero) * a_scale + ((b - b_zero) * b_scale + first)
///   product:  v = float(a - a_zero) * float(b - b_zero) * a_scale + first, which rounds twice
/// A sum of `shift` other than 0 is one of integers, y = clamp(((a * A + b * B + bias) >> shift) + zero, lo, hi): a and b are 128 more than
/// as int8, A is a_upper * 2048 + a_lower, and B likewise.
/// or y = min(max(v, real_lo), real_hi) as float, with the scales of real numbers. y overlaps neither a nor b: ends of rows are read twice.
struct Int8BinaryWork {
  bool product;
  const std::int8_t *a, *b;
  void* y;
  bool real;  ///< y is float
  std::int64_t a_row, b_row, y_row;
  bool a_alone, b_alone;  ///< one value for all columns of a row
  std::int64_t rows, columns;
  float a_scale, b_scale;  ///< those of the inputs / that of y
  std::int32_t a_zero, b_zero;
  std::int32_t zero, lo, hi;
  float real_lo, real_hi;
  std::uint8_t a_flip, b_flip, y_flip;
  bool zero_first;
  float first;
  int shift;
  std::int16_t a_upper, a_lower, b_upper, b_lower;
  std::int32_t bias;
};

/// y = table[x]: bytes as they are stored; those of x are taken as unsigned. y may be x.
struct TableWork {
  const std::int8_t* x;
  std::int8_t* y;
  std::int64_t x_row, y_row, rows, columns;
  const std::int8_t* table;  ///< 256
};

/// y = clamp(round_half_even(x / scale) + zero, -128, 127); NaN becomes the least.
struct QuantizeWork {
  const float* x;
  std::int8_t* y;
  std::int64_t x_row, y_row, rows, columns;
  float scale;
  std::int32_t zero;
  std::uint8_t y_flip;
};

/// y = float(x - zero) * scale
struct DequantizeWork {
  const std::int8_t* x;
  float* y;
  std::int64_t x_row, y_row, rows, columns;
  float scale;
  std::int32_t zero;
  std::uint8_t x_flip;
};

/// One row of an image of another size, between two of its rows; weights have 11 bits.
///   y = (top * (2048 - down) + bottom * down + 2^21) >> 22, where top and bottom are left * (2048 - across) + right * across
struct Int8ResizeWork {
  const std::int8_t* x[2];  ///< the rows
  std::int64_t x_pixel;
  const ResizeTaps* columns;  ///< for each output pixel two, the second's weight as a number of 0 to 2048
  std::int32_t down;
  std::int8_t* y;
  std::int64_t y_pixel, out_width, channels;
  std::uint8_t flip;
  std::int64_t in_width;
  std::int32_t* between;  ///< room for in_width * channels + 32 numbers where pixels are adjacent; or null
};

/// How a mean becomes a whole number.
enum class Ties : std::uint8_t {
  even,       ///< v = float(sum of x - x_zero) * (scale / (per * count)); y = clamp(round_half_even(v) + zero, lo, hi)
  away,       ///< the mean of the stored integers, half away from zero; fewer than 65,000 of them
  zero_first  ///< v = (sum of float(x - x_zero) * scale, tap by tap) / count / per + first, which is rounded half to even
};

/// Pooling of output rows [y_begin, y_end) of one image. Taps in the padding are skipped; a window of nothing else has the least value, or
/// a mean of zero.
struct Int8PoolWork {
  bool max;              ///< of stored values, which keep what they stand for; else the mean
  bool include_padding;  ///< the mean counts it
  bool real;             ///< the mean is v, as float
  Ties ties;
  const std::int8_t* x;
  std::int64_t x_row, x_pixel, height, width;
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  void* y;  ///< row 0
  std::int64_t y_row, y_pixel, y_begin, y_end, out_width, channels;
  float scale;  ///< that of x / that of y; or that of x, and `per` that of y
  float per = 1;
  float first;
  std::int32_t x_zero, zero, lo, hi;
  float real_lo, real_hi;
  std::uint8_t x_flip, y_flip;
};

}  // namespace dwsep
