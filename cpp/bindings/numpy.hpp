// The part of NumPy's C API that the hot path needs.
#pragma once

#include <pybind11/numpy.h>

namespace dwsep::python {

namespace py = pybind11;
using RawArray = py::detail::PyArray_Proxy;

/// Filled in once, when the module is imported.
struct Numpy {
  const py::detail::npy_api* api = nullptr;
  PyObject* float32 = nullptr;     // the dtype
  PyTypeObject* buffer = nullptr;  // the class that owns a Block
};
extern Numpy numpy;

constexpr int numpy_writeable = 0x0400, numpy_carray = 0x0501, numpy_dense = 0x0101;  // dense: C-contiguous and aligned

inline const RawArray& raw(PyObject* array) { return *reinterpret_cast<const RawArray*>(array); }

}  // namespace dwsep::python
