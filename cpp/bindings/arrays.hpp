// NumPy arrays as NHWC views: which are accepted, and the errors for others.
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
  std::array<std::int64_t, 4> strides{};  // in bytes; dense along axes of size 1
  bool direct = false;                    // aligned, channels contiguous: kernels can read it in place
  bool dense = false;                     // its elements fill a piece of memory
  DType dtype = DType::float32;

  std::int64_t size() const { return size_of(dtype); }
  Tensor tensor() const { return {data, shape, strides[0] / size(), strides[1] / size(), strides[2] / size(), dtype}; }
};

/// Makes a view of an array of another library (DLPack, __array_interface__) and leaves all else as it is. Runs Python code where it is not
/// a NumPy array, so it goes before any array is looked at.
void replace_foreign(py::object& object, const char* name);

/// Rejects all but arrays of a type, in native byte order. Subclasses are read as base arrays, except masked arrays, which hold more.
/// `note`: what to say first where float32 is wanted and small integers come.
const RawArray& array_of(PyObject* object, const char* name, DType type, const char* note = "");

/// The same for arrays of pixels, of three or four axes.
View view(PyObject* object, const char* name, DType type = DType::float32);

/// Bytes of a dense tensor. Throws if they exceed 63 bits.
std::int64_t bytes_of(const Shape& s, const char* name, DType type = DType::float32);

void copy(PyObject* to, PyObject* from);

}  // namespace dwsep::python
