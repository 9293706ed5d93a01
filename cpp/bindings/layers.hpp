#pragma once

#include <pybind11/cast.h>

namespace dwsep::python {

/// Adds the class Layer and those of the five families to the module.
void add_layers(const pybind11::object& module);

}  // namespace dwsep::python
