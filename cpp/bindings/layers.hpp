#pragma once

#include <pybind11/pybind11.h>

namespace dwsep::python {

/// Adds the class Layer and those of the five families to the module.
void add_layers(pybind11::module_& m);

}  // namespace dwsep::python
