#pragma once

#include <pybind11/pybind11.h>

namespace dwsep::python {

/// Adds the table of C functions to the module as a capsule, and handles of layers and networks for C: the base of dwsep/cython_api.pyx.
void add_c_api(pybind11::module_& m);

}  // namespace dwsep::python
