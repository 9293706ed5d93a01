// New arrays for results, in recycled memory.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "bindings/numpy.hpp"
#include "dwsep/tensor.hpp"

namespace dwsep::python {

/// A new uninitialised dense array. `input`: what it will be computed from, or null.
py::object new_array(const Py_intptr_t* sizes, int ndim, std::int64_t bytes, const char* input);
py::object new_array(const Shape& shape, int ndim, const char* input);

/// Adds the class behind such arrays to the module, and functions that look after the memory they leave.
void add_results(py::module_& m);

}  // namespace dwsep::python
