// NHWC tensors by reference: a pointer, a shape and strides. Nothing here owns memory.
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace dwsep {

/// Sizes of an NHWC tensor.
struct Shape {
  std::int64_t n = 0, h = 0, w = 0, c = 0;

  bool operator==(const Shape& o) const { return n == o.n && h == o.h && w == o.w && c == o.c; }
  bool operator!=(const Shape& o) const { return !(*this == o); }
  bool empty() const { return n == 0 || h == 0 || w == 0 || c == 0; }
};

/// A tensor that is read. Strides count floats and may be negative or zero; the channels of a pixel are adjacent.
struct ConstTensor {
  const float* data = nullptr;
  Shape shape;
  std::int64_t stride_n = 0, stride_h = 0, stride_w = 0;
};

/// A tensor that is written: as ConstTensor, and no two elements may share memory.
struct Tensor {
  float* data = nullptr;
  Shape shape;
  std::int64_t stride_n = 0, stride_h = 0, stride_w = 0;

  operator ConstTensor() const { return {data, shape, stride_n, stride_h, stride_w}; }
};

/// A tensor without gaps.
inline ConstTensor dense(const float* data, Shape s) { return {data, s, s.h * s.w * s.c, s.w * s.c, s.c}; }
inline Tensor dense(float* data, Shape s) { return {data, s, s.h * s.w * s.c, s.w * s.c, s.c}; }

}  // namespace dwsep
#pragma GCC visibility pop
