// The five layer classes of the module: construction, shapes and plans. Immutable, built by __new__ alone, so that none is half
// initialised.
#include "bindings/layers.hpp"

#include <pybind11/cast.h>
#include <structmember.h>

#include <array>
#include <cstddef>
#include <new>
#include <string>
#include <utility>

#include "bindings/arguments.hpp"
#include "bindings/call.hpp"
#include "bindings/gil.hpp"
#include "bindings/make_layer.hpp"
#include "bindings/messages.hpp"
#include "runtime/sizes.hpp"

namespace dwsep::python {
namespace {

/// __new__ of a class: `Make` turns a tuple of `Count` arguments into a layer and its number of input channels.
template <Made (*Make)(const py::tuple&), Py_ssize_t Count, bool TakesResidual>
PyObject* new_layer(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  return guarded([&]() -> PyObject* {
    if (PyTuple_GET_SIZE(args) != Count || (keywords != nullptr && PyDict_GET_SIZE(keywords) != 0)) {
      reject(PyExc_TypeError, type->tp_name, std::to_string(Count) + " positional arguments", std::to_string(PyTuple_GET_SIZE(args)));
    }
    Made made = Make(py::reinterpret_borrow<py::tuple>(args));
    PyObject* object = type->tp_alloc(type, 0);
    if (object == nullptr) throw py::error_already_set();
    auto* self = reinterpret_cast<LayerObject*>(object);
    new (&self->layer) Layer(std::move(made.layer));
    self->vectorcall = vectorcall;
    self->channels = made.channels;
    self->source = made.source;
    self->weights = made.weights;
    self->takes_residual = TakesResidual;
    self->x_type = made.x_type;
    self->y_type = made.y_type;
    self->residual_type = made.residual_type;
    self->shares_lines = made.shares_lines;
    return object;
  });
}

void delete_layer(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  reinterpret_cast<LayerObject*>(object)->layer.~Layer();
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject* reject_new(PyTypeObject* type, PyObject*, PyObject*) {
  return PyErr_Format(PyExc_TypeError, "%s: the base of the layers, cannot be made", type->tp_name);
}

/// A shape of three or four sizes; `ndim` receives the number.
Shape shape_of(PyObject* object, int& ndim) {
  const std::string wanted = "a tuple of 3 or 4 sizes";
  if (!PyTuple_Check(object) && !PyList_Check(object)) reject(PyExc_TypeError, "x_shape", wanted, type_name(object));
  const auto sizes = py::reinterpret_steal<py::tuple>(PySequence_Tuple(object));  // a list may change meanwhile
  if (!sizes) throw py::error_already_set();
  if (sizes.size() != 3 && sizes.size() != 4) reject(PyExc_ValueError, "x_shape", wanted, std::to_string(sizes.size()));
  std::array<std::int64_t, 4> values = {1, 0, 0, 0};
  ndim = static_cast<int>(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    PyObject* size = sizes[i].ptr();
    if (PyBool_Check(size) || !PyIndex_Check(size)) reject(PyExc_TypeError, "x_shape", "ints", type_name(size));
    const Py_ssize_t value = staying([&] { return PyNumber_AsSsize_t(size, nullptr); });  // saturates; rejected below
    if (value == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    const bool fits = value >= 0 && value <= runtime::kLargestSize;
    if (!fits) reject(PyExc_ValueError, "x_shape", runtime::kSizesWanted, std::string(py::repr(object)));
    values[i + 4 - sizes.size()] = value;
  }
  const Shape shape = {values[0], values[1], values[2], values[3]};
  bytes_of(shape, "x_shape");
  return shape;
}

Shape checked_output(const LayerObject& self, const Shape& x, int ndim) {
  check_channels("x_shape", x, ndim, self);
  const Shape y = self.layer.output_shape(x);
  bytes_of(y, "output");
  return y;
}

PyObject* output_shape(PyObject* self, PyObject* x_shape) {
  return guarded([&] {
    int ndim = 4;
    const Shape x = shape_of(x_shape, ndim);
    const Shape y = checked_output(*reinterpret_cast<const LayerObject*>(self), x, ndim);
    if (ndim == 3) return py::make_tuple(y.h, y.w, y.c).release().ptr();
    return py::make_tuple(y.n, y.h, y.w, y.c).release().ptr();
  });
}

PyObject* plan(PyObject* self, PyObject* args, PyObject* keywords) {
  return guarded([&]() -> PyObject* {
    static const char* const names[] = {"x_shape", "num_threads", nullptr};
    PyObject *x_shape = nullptr, *num_threads = nullptr;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "O|O:plan", const_cast<char**>(names), &x_shape, &num_threads) == 0) return nullptr;
    const int threads = thread_count(num_threads);
    int ndim = 4;
    const Shape x = shape_of(x_shape, ndim);
    const auto& layer = *reinterpret_cast<const LayerObject*>(self);
    checked_output(layer, x, ndim);
    const Plan p = layer.layer.plan(x, threads);
    py::dict d;
    d["algorithm"] = p.algorithm;
    d["kernel"] = p.kernel;
    d["split"] = p.split;
    d["threads"] = p.threads;
    d["flops"] = p.flops;
    d["bytes"] = p.bytes;
    return d.release().ptr();
  });
}

/// Makes a class and adds it to the module. The name must outlive the class.
PyObject* add_class(const py::object& module, const char* name, PyType_Slot* slots, PyObject* base, std::size_t size) {
  constexpr unsigned flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL;
  PyType_Spec spec = {name, static_cast<int>(size), 0, flags, slots};
  auto type = py::reinterpret_steal<py::object>(PyType_FromModuleAndSpec(module.ptr(), &spec, base));
  if (!type) throw py::error_already_set();
  module.attr(type.attr("__name__")) = type;
  return type.ptr();
}

template <Made (*Make)(const py::tuple&), Py_ssize_t Count, bool TakesResidual>
void add_layer(const py::object& module, const char* name, PyObject* base) {
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(new_layer<Make, Count, TakesResidual>)}, {0, nullptr}};
  add_class(module, name, slots, base, 0);
}

}  // namespace

void add_layers(const py::object& module) {
  static PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(LayerObject, vectorcall), READONLY, nullptr},
                                  {"channels", T_LONGLONG, offsetof(LayerObject, channels), READONLY, nullptr},
                                  {nullptr, 0, 0, 0, nullptr}};
  static PyMethodDef methods[] = {
      {"output_shape", output_shape, METH_O, nullptr},
      {"plan", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(plan)), METH_VARARGS | METH_KEYWORDS, nullptr},
      {nullptr, nullptr, 0, nullptr}};
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(reject_new)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(delete_layer)},
                         {Py_tp_call, reinterpret_cast<void*>(tuple_call)},
                         {Py_tp_members, members},
                         {Py_tp_methods, methods},
                         {0, nullptr}};
  PyObject* base = add_class(module, "dwsep._core.Layer", slots, nullptr, sizeof(LayerObject));
  add_layer<make_depthwise, 9, false>(module, "dwsep._core.DepthwiseConv2D", base);
  add_layer<make_pointwise, 7, true>(module, "dwsep._core.PointwiseConv2D", base);
  add_layer<make_separable, 21, true>(module, "dwsep._core.SeparableConv2D", base);
  add_layer<make_inverted_residual, 26, true>(module, "dwsep._core.InvertedResidual", base);
  add_layer<make_standard, 11, true>(module, "dwsep._core.Conv2D", base);
}

}  // namespace dwsep::python
