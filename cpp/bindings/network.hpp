#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "bindings/numpy.hpp"
#include "dwsep/network.hpp"

namespace dwsep::python {

/// Adds Network and NetworkBuilder to the module.
void add_networks(pybind11::module_& m);

/// An array for the core to read; `keeper` owns it, or its copy where it is not contiguous.
ConstArray readable(const pybind11::handle& object, const std::string& name, int threads, pybind11::object& keeper,
                    DType type = DType::float32);

/// Whether an object is an array that is read in place. Most are: those need no name for an error.
bool is_plain(PyObject* object, DType type);
ConstArray in_place(const RawArray& array, DType type);

/// A new array for an output.
pybind11::object result_array(const Sizes& shape, DType type);

/// Adds Stream.
void add_stream(pybind11::module_& m);

void add_network_builder(pybind11::module_& m);

/// Adds op_schemas.
void add_op_schemas(pybind11::module_& m);

/// Adds FlatBuffer.
void add_flat_buffer(pybind11::module_& m);

}  // namespace dwsep::python
