#include "bindings/call.hpp"

#include <pybind11/critical_section.h>

#include <algorithm>
#include <string>

#include "bindings/arguments.hpp"
#include "bindings/copies.hpp"
#include "bindings/gil.hpp"
#include "bindings/messages.hpp"
#include "bindings/overlap.hpp"
#include "bindings/results.hpp"
#include "bindings/slices.hpp"
#include "runtime/layers/layer.hpp"

namespace dwsep::python {
namespace {

void check_shape(const char* name, const View& v, const Shape& wanted, int ndim) {
  if (v.ndim == ndim && v.shape == wanted) return;
  reject(PyExc_ValueError, name, "the output's shape " + shape_text(wanted, ndim), shape_text(v.shape, v.ndim));
}

/// The view itself if kernels can read it, else a copy owned by `keeper`.
View readable(const View& v, PyObject* array, int threads, py::object& keeper) {
  if (v.direct) return v;
  keeper = dense_copy(array, threads, v.dtype);
  return view(keeper.ptr(), "copy", v.dtype);
}

/// Runs the kernel without the GIL, unless it takes only about a microsecond: while another Python thread is busy, getting the GIL back
/// takes 200. Long calls run in slices, so that signals are handled in between.
void run(const LayerObject& self, const runtime::Decision& d, const View& x, const View& y, const View* residual, int threads) {
  constexpr double least_multiplications = 1 << 16;
  const ConstTensor in = x.tensor(), added = residual != nullptr ? residual->tensor() : ConstTensor();
  const ConstTensor* const add = residual != nullptr ? &added : nullptr;
  const Tensor result = y.tensor();
  const auto pixels = [](const Shape& s) { return static_cast<double>(s.n) * static_cast<double>(s.h) * static_cast<double>(s.w); };
  const double multiplications = self.weights * std::max(pixels(x.shape), pixels(y.shape));
  if (multiplications < least_multiplications) return runtime::LayerCall::run(self.layer, d, in, result, add);
  const double slow = slow_seconds(multiplications, x.shape, y.shape);
  if (x.shape.n == 1 || slow <= slice_seconds || !handles_signals()) {
    return without_gil([&] { runtime::LayerCall::run(self.layer, d, in, result, add); });
  }
  interruptibly([&](const auto& proceed) { run_in_slices(self.layer, in, result, add, threads, slow, proceed); });
}

PyObject* call(const LayerObject& self, Arguments& arguments) {
  PyObject* const given = arguments[Arguments::out];
  if (arguments[Arguments::x] == nullptr) arguments.reject("no x");
  arguments.replace_foreign_arrays();
  const int threads = thread_count(arguments[Arguments::num_threads]);

  View x = view(arguments[Arguments::x], "x", self.x_type);
  check_channels("x", x.shape, x.ndim, self);
  const runtime::Decision decision = runtime::LayerCall::decide(self.layer, x.shape, threads);
  const Shape& shape = decision.y;
  const int ndim = x.ndim;

  View residual;
  const bool adds = arguments[Arguments::residual] != nullptr;
  if (adds) {
    if (self.x_type != DType::float32 && self.residual_type == DType::float32) {
      reject(PyExc_ValueError, "residual", "None where the layer has no residual_quantization", type_name(arguments[Arguments::residual]));
    }
    residual = view(arguments[Arguments::residual], "residual", self.residual_type);
    check_shape("residual", residual, shape, ndim);
  }
  View y;
  if (given != nullptr) {
    y = view(given, "out", self.y_type);
    check_shape("out", y, shape, ndim);
    if ((raw(given).flags & numpy_writeable) == 0) {
      reject(PyExc_TypeError, "out", "a writeable array", "a read-only one");
    }
    if (overlaps_itself(y)) reject(PyExc_ValueError, "out", "an array whose elements do not share memory", "one whose elements do");
    if (shape.empty()) return py::handle(given).inc_ref().ptr();
  }

  py::object x_copy, residual_copy, result;
  if (shape.empty()) return new_array(shape, ndim, nullptr, self.y_type).release().ptr();
  x = readable(x, arguments[Arguments::x], threads, x_copy);
  if (adds) residual = readable(residual, arguments[Arguments::residual], threads, residual_copy);
  const bool in_place = given != nullptr && y.direct && !may_overlap(x, y) && !(adds && may_overlap(residual, y));
  if (!in_place) {
    result = new_array(shape, ndim, x.data, self.y_type, self.shares_lines);
    y = view(result.ptr(), "out", self.y_type);
  }
  run(self, decision, x, y, adds ? &residual : nullptr, threads);
  if (given == nullptr) return result.release().ptr();
  if (!in_place) copy(given, result.ptr());
  return py::handle(given).inc_ref().ptr();
}

/// Common part of both calling conventions. The layer is owned for the same reason as the arguments.
template <class Fill>
PyObject* call_with(PyObject* self, const Fill& fill) {
  return guarded([&] {
    const auto owned = py::reinterpret_borrow<py::object>(self);
    const auto& layer = *reinterpret_cast<const LayerObject*>(self);
    Arguments arguments(self, layer.takes_residual);
    fill(arguments);
    return call(layer, arguments);
  });
}

}  // namespace

void check_channels(const char* name, const Shape& shape, int ndim, const LayerObject& layer) {
  if (shape.c == layer.channels) return;
  const std::string c = std::to_string(layer.channels), wanted = "shape (H, W, " + c + ") or (N, H, W, " + c + ")";
  reject(PyExc_ValueError, name, wanted + ", the channels of " + layer.source, shape_text(shape, ndim));
}

PyObject* vectorcall(PyObject* self, PyObject* const* args, std::size_t flagged_count, PyObject* keywords) {
  return call_with(self, [&](Arguments& arguments) {
    const Py_ssize_t count = PyVectorcall_NARGS(flagged_count), named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
    arguments.set_positional(args, count);
    for (Py_ssize_t i = 0; i < named; ++i) arguments.set(PyTuple_GET_ITEM(keywords, i), args[count + i]);
  });
}

PyObject* tuple_call(PyObject* self, PyObject* args, PyObject* keywords) {
  return call_with(self, [&](Arguments& arguments) {
    arguments.set_positional(&PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args));
    if (keywords == nullptr) return;
    const py::scoped_critical_section lock{py::handle(keywords)};
    PyObject *name = nullptr, *value = nullptr;
    for (Py_ssize_t i = 0; PyDict_Next(keywords, &i, &name, &value) != 0;) arguments.set(name, value);
  });
}

}  // namespace dwsep::python
