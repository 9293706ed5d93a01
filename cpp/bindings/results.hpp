// New arrays for results, in recycled memory.
#pragma once

#include <cstdint>

#include "bindings/numpy.hpp"
#include "dwsep/tensor.hpp"

namespace dwsep::python {

/// A new uninitialised dense array. `input`: what it will be computed from, or null; `alike`: as far past a cache line as that.
py::object new_array(const Py_intptr_t* sizes, int ndim, std::int64_t bytes, const char* input, DType type = DType::float32,
                     bool alike = false);
py::object new_array(const Shape& shape, int ndim, const char* input, DType type = DType::float32, bool alike = false);

/// Makes the class behind such arrays, once, when the module is imported.
void add_results(const py::object& module);

}  // namespace dwsep::python
