// The call of a layer, from Python's arguments to the kernel and back. This is the hot path: no look-ups, no Python code, no copies but
// those that the arrays force.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>

#include "bindings/arrays.hpp"
#include "dwsep/layers.hpp"

namespace dwsep::python {

/// A layer as Python holds it.
struct LayerObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  Layer layer;
  std::int64_t channels;  // of the input
  double weights;         // how many: each is multiplied about once a pixel
  const char* source;     // where the number of channels comes from, for messages
  bool takes_residual;
  DType x_type, y_type, residual_type;
  bool shares_lines;  // kernels gain where output and input lie alike past cache lines
};

PyObject* vectorcall(PyObject* self, PyObject* const* args, std::size_t flagged_count, PyObject* keywords);
/// For callers that bring a tuple and a dict: before Python 3.12 those of Python's subclasses.
PyObject* tuple_call(PyObject* self, PyObject* args, PyObject* keywords);

/// Rejects an input whose channels are not the layer's.
void check_channels(const char* name, const Shape& shape, int ndim, const LayerObject& layer);

}  // namespace dwsep::python
