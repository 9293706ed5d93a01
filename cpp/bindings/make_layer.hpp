// Layers from arguments that src/dwsep/_operators.py has checked and normalised; checks here only keep memory safe.
#pragma once

#include <pybind11/cast.h>

#include <cstdint>

#include "dwsep/layers.hpp"

namespace dwsep::python {

namespace py = pybind11;

/// A layer, the channels of its input, the source of that number, and the number of weights.
struct Made {
  Layer layer;
  std::int64_t channels;
  const char* source;
  double weights;
  DType x_type = DType::float32, y_type = DType::float32, residual_type = DType::float32;
  bool shares_lines = false;  ///< see LayerObject
};

// Each takes the arguments of its class in _core.pyi.
Made make_depthwise(const py::tuple& a);
Made make_pointwise(const py::tuple& a);
Made make_separable(const py::tuple& a);
Made make_inverted_residual(const py::tuple& a);
Made make_standard(const py::tuple& a);

}  // namespace dwsep::python
