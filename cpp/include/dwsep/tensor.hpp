// NHWC tensors by reference: a pointer, a type, a shape and strides. Nothing here owns memory.
#pragma once

#include <cstdint>

#include "dwsep/types.hpp"

#pragma GCC visibility push(default)
namespace dwsep {

/// Sizes of an NHWC tensor.
struct Shape {
  std::int64_t n = 0, h = 0, w = 0, c = 0;

  bool operator==(const Shape& o) const { return n == o.n && h == o.h && w == o.w && c == o.c; }
  bool operator!=(const Shape& o) const { return !(*this == o); }
  bool empty() const { return n == 0 || h == 0 || w == 0 || c == 0; }
};

/// A tensor that is read. Strides count elements and may be negative or zero; the channels of a pixel are adjacent.
struct ConstTensor {
  const void* data = nullptr;
  Shape shape;
  std::int64_t stride_n = 0, stride_h = 0, stride_w = 0;
  DType dtype = DType::float32;
  const Quantization* quantization = nullptr;  ///< of integers that stand for real numbers

  /// The data as the type that dtype names.
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

/// A tensor that is written: as ConstTensor, and no two elements may share memory.
struct Tensor {
  void* data = nullptr;
  Shape shape;
  std::int64_t stride_n = 0, stride_h = 0, stride_w = 0;
  DType dtype = DType::float32;
  const Quantization* quantization = nullptr;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  operator ConstTensor() const { return {data, shape, stride_n, stride_h, stride_w, dtype, quantization}; }
};

/// A contiguous tensor.
template <class T>
ConstTensor dense(const T* data, Shape s, const Quantization* quantization = nullptr) {
  return {data, s, s.h * s.w * s.c, s.w * s.c, s.c, DTypeOf<T>::value, quantization};
}
template <class T>
Tensor dense(T* data, Shape s, const Quantization* quantization = nullptr) {
  return {data, s, s.h * s.w * s.c, s.w * s.c, s.c, DTypeOf<T>::value, quantization};
}

}  // namespace dwsep
#pragma GCC visibility pop
