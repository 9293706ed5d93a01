// The call of a layer, from Python's arguments to the kernel and back. This is the hot path: no look-ups, no Python code, no copies that
// the arrays do not force.
#pragma once

#include <pybind11/critical_section.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <climits>
#include <exception>
#include <stdexcept>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/overlap.hpp"
#include "bindings/slices.hpp"
#include "dwsep/layers.hpp"

namespace dwsep::python {

/// A layer as Python holds it.
struct LayerObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  Layer layer;
  std::int64_t channels;  // of the input
  double weights;         // how many: each is multiplied about once a pixel
  const char* source;     // where their number comes from, for messages
  bool takes_residual;
};

/// Runs `body` for C callers: what it throws becomes Python's error.
template <class Body>
PyObject* guarded(const Body& body) {
  try {
    return body();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::cast_error& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::logic_error& error) {  // invalid_argument, length_error, out_of_range
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::overflow_error& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

/// The arguments of a call; null where not given or None. Owned, because while the kernel runs without the GIL others may empty the dict
/// that they came in.
struct Arguments {
  enum Name : std::size_t { x, residual, out, num_threads };
  const LayerObject& layer;
  std::array<py::object, 4> values;

  explicit Arguments(const LayerObject& called) : layer(called) {}

  PyObject* operator[](Name name) const { return values[name].ptr(); }

  /// The strings "x", "residual", ...: made and interned once, so that mostly a comparison of addresses finds them.
  static const std::array<PyObject*, 4>& names() {
    static const std::array<PyObject*, 4> strings = {PyUnicode_InternFromString("x"), PyUnicode_InternFromString("residual"),
                                                     PyUnicode_InternFromString("out"), PyUnicode_InternFromString("num_threads")};
    return strings;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    const std::string wanted = layer.takes_residual ? "x, residual, out and num_threads" : "x, out and num_threads";
    fail(PyExc_TypeError, std::string(Py_TYPE(const_cast<PyObject*>(&layer.ob_base))->tp_name) + "(): takes " + wanted +
                              ", the last two by name only; got " + what);
  }

  void set(PyObject* name, PyObject* value) {
    if (!PyUnicode_Check(name)) refuse("an argument named " + std::string(py::repr(name)));
    std::size_t i = 0;
    while (i < 4 && names()[i] != name) ++i;
    for (std::size_t j = 0; i == 4 && j < 4; ++j) {
      if (PyUnicode_Compare(names()[j], name) == 0) i = j;
    }
    if (i == 4 || (i == residual && !layer.takes_residual)) refuse("an argument named " + std::string(py::repr(name)));
    if (values[i]) refuse("two arguments named " + std::string(py::repr(name)));
    if (value != Py_None || i == x) values[i] = py::reinterpret_borrow<py::object>(value);
  }

  void set_positional(PyObject* const* args, Py_ssize_t count) {
    if (count > (layer.takes_residual ? 2 : 1)) refuse(std::to_string(count) + " without a name");
    if (count > 0) values[x] = py::reinterpret_borrow<py::object>(args[0]);
    if (count > 1 && args[1] != Py_None) values[residual] = py::reinterpret_borrow<py::object>(args[1]);
  }
};

/// num_threads as the core wants it: 0 for None. May run Python code, so it goes before arrays are looked at.
inline int thread_count(PyObject* object) {
  if (object == nullptr || object == Py_None) return 0;
  const auto refuse = [object](PyObject* type) {
    const std::string range = "num_threads: need None or an int from 1 to " + std::to_string(INT_MAX);
    fail(type, range + ", got " + std::string(py::repr(object)) + " (" + type_name(object) + ")");
  };
  if (PyBool_Check(object) || !PyIndex_Check(object)) refuse(PyExc_TypeError);
  const auto number = py::reinterpret_steal<py::object>(staying([&] { return PyNumber_Index(object); }));
  if (!number) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();  // an array of several numbers has an __index__ as well
    refuse(PyExc_TypeError);
  }
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(number.ptr(), &overflow);
  if (overflow != 0 || value < 1 || value > INT_MAX) refuse(PyExc_ValueError);
  return static_cast<int>(value);
}

inline void check_channels(const char* name, const Shape& shape, int ndim, const LayerObject& layer) {
  if (shape.c == layer.channels) return;
  const std::string c = std::to_string(layer.channels), wanted = "shape (H, W, " + c + ") or (N, H, W, " + c + ")";
  fail(PyExc_ValueError, std::string(name) + ": need " + wanted + ", the channels of " + layer.source + ", got " + shape_text(shape, ndim));
}

inline void check_shape(const char* name, const View& v, const Shape& wanted, int ndim) {
  if (v.ndim == ndim && v.shape == wanted) return;
  fail(PyExc_ValueError,
       std::string(name) + ": need the output's shape " + shape_text(wanted, ndim) + ", got " + shape_text(v.shape, v.ndim));
}

/// The view itself if kernels can read it, else that of a copy, which `keeper` owns.
inline View readable(const View& v, PyObject* array, py::object& keeper) {
  if (v.direct) return v;
  keeper = new_array(v.shape, v.ndim, nullptr);
  copy(keeper.ptr(), array);
  return view(keeper.ptr(), "copy");
}

/// Runs the kernel without the GIL, unless it is over in about a microsecond: where another Python thread is busy, getting the GIL back
/// takes 200 of them. What may take long runs in slices, so that signals are handled in between.
inline void run(const LayerObject& self, const View& x, const View& y, const View* residual, int threads) {
  constexpr double least_multiplications = 1 << 16;
  const ConstTensor in = x.tensor(), added = residual != nullptr ? residual->tensor() : ConstTensor();
  const ConstTensor* const add = residual != nullptr ? &added : nullptr;
  const Tensor result = y.tensor();
  const auto pixels = [](const Shape& s) { return static_cast<double>(s.n) * static_cast<double>(s.h) * static_cast<double>(s.w); };
  const double multiplications = self.weights * std::max(pixels(x.shape), pixels(y.shape));
  if (multiplications < least_multiplications) return self.layer(in, result, add, threads);
  const double slow = slow_seconds(multiplications, x.shape, y.shape);
  if (x.shape.n == 1 || slow <= slice_seconds || !handles_signals()) {
    return without_gil([&] { self.layer(in, result, add, threads); });
  }
  interruptibly([&](const auto& proceed) { run_in_slices(self.layer, in, result, add, threads, slow, proceed); });
}

inline PyObject* call(const Arguments& arguments) {
  const LayerObject& self = arguments.layer;
  PyObject* const given = arguments[Arguments::out];
  if (arguments[Arguments::x] == nullptr) arguments.refuse("no x");
  const int threads = thread_count(arguments[Arguments::num_threads]);

  View x = view(arguments[Arguments::x], "x");
  check_channels("x", x.shape, x.ndim, self);
  const Shape shape = self.layer.output_shape(x.shape);
  const int ndim = x.ndim;

  View residual;
  const bool adds = arguments[Arguments::residual] != nullptr;
  if (adds) {
    residual = view(arguments[Arguments::residual], "residual");
    check_shape("residual", residual, shape, ndim);
  }
  View y;
  if (given != nullptr) {
    y = view(given, "out");
    check_shape("out", y, shape, ndim);
    if ((reinterpret_cast<const RawArray*>(given)->flags & numpy_writeable) == 0) {
      fail(PyExc_TypeError, "out: need a writeable array, got a read-only one");
    }
    if (overlaps_itself(y)) fail(PyExc_ValueError, "out: need an array whose elements do not share memory, got one whose elements do");
    if (shape.empty()) return py::handle(given).inc_ref().ptr();
  }

  py::object x_copy, residual_copy, result;
  if (shape.empty()) return new_array(shape, ndim, nullptr).release().ptr();
  x = readable(x, arguments[Arguments::x], x_copy);
  if (adds) residual = readable(residual, arguments[Arguments::residual], residual_copy);
  const bool in_place = given != nullptr && y.direct && !may_overlap(x, y) && !(adds && may_overlap(residual, y));
  if (!in_place) {
    result = new_array(shape, ndim, x.data);
    y = view(result.ptr(), "out");
  }
  run(self, x, y, adds ? &residual : nullptr, threads);
  if (given == nullptr) return result.release().ptr();
  if (!in_place) copy(given, result.ptr());
  return py::handle(given).inc_ref().ptr();
}

/// Body of both ways to call. The layer is owned for the same reason as its arguments.
template <class Fill>
PyObject* call_with(PyObject* self, const Fill& fill) {
  return guarded([&] {
    const auto owned = py::reinterpret_borrow<py::object>(self);
    Arguments arguments(*reinterpret_cast<const LayerObject*>(self));
    fill(arguments);
    return call(arguments);
  });
}

inline PyObject* vectorcall(PyObject* self, PyObject* const* args, std::size_t flagged_count, PyObject* keywords) {
  return call_with(self, [&](Arguments& arguments) {
    const Py_ssize_t count = PyVectorcall_NARGS(flagged_count), named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
    arguments.set_positional(args, count);
    for (Py_ssize_t i = 0; i < named; ++i) arguments.set(PyTuple_GET_ITEM(keywords, i), args[count + i]);
  });
}

/// For callers that bring a tuple and a dict: before Python 3.12 those of Python's subclasses.
inline PyObject* tuple_call(PyObject* self, PyObject* args, PyObject* keywords) {
  return call_with(self, [&](Arguments& arguments) {
    arguments.set_positional(&PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args));
    if (keywords == nullptr) return;
    const py::scoped_critical_section lock{py::handle(keywords)};
    PyObject *name = nullptr, *value = nullptr;
    for (Py_ssize_t i = 0; PyDict_Next(keywords, &i, &name, &value) != 0;) arguments.set(name, value);
  });
}

}  // namespace dwsep::python
