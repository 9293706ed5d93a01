// NumPy arrays as NHWC views: which arrays are accepted, and what is said of the others.
#pragma once

#include <array>
#include <cstdint>

#include "bindings/numpy.hpp"
#include "dwsep/tensor.hpp"

namespace dwsep::python {

/// An array of pixels as it lies in memory.
struct View {
  char* data = nullptr;
  int ndim = 4;                           // 3 or 4
  Shape shape;                            // n = 1 where there are three axes
  std::array<std::int64_t, 4> strides{};  // in bytes; as if dense along axes of size 1
  bool direct = false;                    // aligned and its channels adjacent: kernels can take it as it lies

  Tensor tensor() const {
    constexpr std::int64_t size = sizeof(float);
    return {reinterpret_cast<float*>(data), shape, strides[0] / size, strides[1] / size, strides[2] / size};
  }
};

/// Refuses all but arrays of native float32. A subclass is read as the plain array it holds; a masked array holds more than that.
const RawArray& float32_array(PyObject* object, const char* name);

/// The same for arrays of pixels, of three or four axes.
View view(PyObject* object, const char* name);

/// Bytes of a dense tensor. Throws where 63 bits do not hold them.
std::int64_t bytes_of(const Shape& s, const char* name);

void copy(PyObject* to, PyObject* from);

}  // namespace dwsep::python
