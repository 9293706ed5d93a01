// The part of NumPy's C API that the hot path needs. (pybind11.h and its numpy.h take 8 s each to compile, cast.h 2 s: only the units that
// define functions for Python include them.)
#pragma once

#include <pybind11/cast.h>

#include <array>

#include "dwsep/types.hpp"

namespace dwsep::python {

namespace py = pybind11;

/// The beginning of every numpy.ndarray.
struct RawArray {
  PyObject_HEAD char* data;
  int nd;
  Py_ssize_t *dimensions, *strides;
  PyObject *base, *descr;
  int flags;
};

constexpr int numpy_writeable = 0x0400, numpy_carray = 0x0501, numpy_dense = 0x0101;  // dense: C-contiguous and aligned

/// Filled in by load_numpy.
struct Numpy {
  PyTypeObject* array = nullptr;
  std::array<PyObject*, kDTypes> dtypes{};  // in native byte order
  PyTypeObject* buffer = nullptr;           // the class that owns a Block
  PyObject* (*new_array)(PyTypeObject* type, PyObject* descr, int nd, const Py_intptr_t* sizes, const Py_intptr_t* strides, void* data,
                         int flags, PyObject* object) = nullptr;
  int (*set_base)(PyObject* array, PyObject* owner) = nullptr;
  int (*copy)(PyObject* to, PyObject* from) = nullptr;
};
extern Numpy numpy;

/// Once, when the module is imported.
void load_numpy();

inline bool is_array(PyObject* object) { return PyObject_TypeCheck(object, numpy.array); }

py::object import_module(const char* name);

inline PyObject* numpy_dtype(DType type) { return numpy.dtypes[static_cast<std::size_t>(type)]; }

/// By comparison of two dtypes.
bool equals_dtype(PyObject* descr, PyObject* wanted);
inline bool is_native(PyObject* descr, DType type) { return descr == numpy_dtype(type) || equals_dtype(descr, numpy_dtype(type)); }

inline const RawArray& raw(PyObject* array) { return *reinterpret_cast<const RawArray*>(array); }

}  // namespace dwsep::python
