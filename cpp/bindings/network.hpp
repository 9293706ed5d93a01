#pragma once

#include <pybind11/pybind11.h>

namespace dwsep::python {

/// Adds Network and NetworkBuilder to the module.
void add_networks(pybind11::module_& m);

/// Adds op_schemas.
void add_op_schemas(pybind11::module_& m);

}  // namespace dwsep::python
