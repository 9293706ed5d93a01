#pragma once

#include <pybind11/pybind11.h>

namespace dwsep::python {

/// Adds the table of C functions to the module as a capsule, and layers and networks of Python lent to C: what dwsep/cython_api.pyx builds
/// upon.
void add_c_api(pybind11::module_& m);

}  // namespace dwsep::python
