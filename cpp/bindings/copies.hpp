// Copies of arrays that kernels cannot read as they lie.
#pragma once

#include "bindings/numpy.hpp"

namespace dwsep::python {

/// A C-contiguous copy of an array of this type, made by `threads` threads (0: as many as by default). Owns the array no longer than it
/// takes.
py::object dense_copy(PyObject* array, int threads, DType type = DType::float32);

}  // namespace dwsep::python
