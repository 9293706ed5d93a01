// The five layer classes of the module: construction from checked arguments, shapes and plans. Immutable, built by __new__ alone, so that
// there are no half-made ones.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <structmember.h>

#include <cstddef>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/call.hpp"
#include "dwsep/layers.hpp"
#include "runtime/sizes.hpp"

namespace dwsep::python {

/// Values that Python has brought into one form (see _arguments.py); what is checked here keeps memory safe.
inline const float* dense_values(const py::handle& object, const char* name, int ndim, std::array<std::int64_t, 4>& sizes) {
  const RawArray& array = float32_array(object.ptr(), name);
  constexpr int c_contiguous_aligned = 0x0101;
  if (array.nd != ndim || (array.flags & c_contiguous_aligned) != c_contiguous_aligned) {
    fail(PyExc_ValueError, std::string(name) + ": need a C-contiguous array of " + std::to_string(ndim) + " axes, got shape " +
                               shape_text(array.dimensions, array.nd));
  }
  for (int i = 0; i < ndim; ++i) sizes[static_cast<std::size_t>(i)] = array.dimensions[i];
  return reinterpret_cast<const float*>(array.data);
}

inline const float* bias_values(const py::handle& object, std::int64_t channels) {
  if (object.is_none()) return nullptr;
  std::array<std::int64_t, 4> sizes{};
  const float* values = dense_values(object, "bias", 1, sizes);
  if (sizes[0] != channels) {
    fail(PyExc_ValueError, "bias: need shape (" + std::to_string(channels) + ",), got (" + std::to_string(sizes[0]) + ",)");
  }
  return values;
}

inline DepthwiseFilter depthwise_filter(const py::handle& weights, const py::handle& bias) {
  std::array<std::int64_t, 4> s{};
  const float* values = dense_values(weights, "depthwise weights", 4, s);
  return {values, s[0], s[1], s[2], s[3], bias_values(bias, s[2] * s[3])};
}

inline PointwiseFilter pointwise_filter(const py::handle& weights, const py::handle& bias) {
  std::array<std::int64_t, 4> s{};
  const float* values = dense_values(weights, "pointwise weights", 2, s);
  return {values, s[0], s[1], bias_values(bias, s[1])};
}

inline StandardFilter standard_filter(const py::handle& weights, const py::handle& bias, std::int64_t groups) {
  std::array<std::int64_t, 4> s{};
  const float* values = dense_values(weights, "weights", 4, s);
  std::int64_t in = 0;
  if (groups < 1 || __builtin_mul_overflow(s[2], groups, &in))
    fail(PyExc_ValueError, "groups: need at least 1, got " + std::to_string(groups));
  return {values, s[0], s[1], in, s[3], groups, bias_values(bias, s[3])};
}

inline ConvOptions conv_options(const py::handle& stride, const py::handle& padding, const py::handle& dilation) {
  using Pair = std::pair<std::int64_t, std::int64_t>;
  ConvOptions o;
  std::tie(o.stride_h, o.stride_w) = stride.cast<Pair>();
  std::tie(o.dilation_h, o.dilation_w) = dilation.cast<Pair>();
  if (py::isinstance<py::str>(padding)) {
    const auto name = padding.cast<std::string>();
    if (name != "same" && name != "same_lower" && name != "valid") fail(PyExc_ValueError, "padding: no such name, " + name);
    o.padding.mode = name == "same" ? Padding::Mode::same : name == "valid" ? Padding::Mode::valid : Padding::Mode::same_lower;
  } else {
    const auto [rows, columns] = padding.cast<std::pair<Pair, Pair>>();
    o.padding = {Padding::Mode::explicit_, rows.first, rows.second, columns.first, columns.second};
  }
  return o;
}

/// From None, a name or a tuple of a name and numbers.
inline Activation activation_of(const py::handle& object) {
  if (object.is_none()) return Activation::none();
  const bool bare = py::isinstance<py::str>(object);
  const auto parts = bare ? py::make_tuple(object) : object.cast<py::tuple>();
  const auto number = [&](std::size_t i) { return parts[i].cast<float>(); };
  const std::string name = parts.empty() ? "" : parts[0].cast<std::string>();
  if (name == "clip" && parts.size() == 3) return Activation::clip(number(1), number(2));
  if (name == "leaky_relu" && parts.size() == 2) return {ActivationKind::leaky_relu, number(1), 0.0F};
  if (parts.size() == 1) {
    if (name == "relu") return Activation::relu();
    if (name == "relu6") return Activation::relu6();
    constexpr std::pair<const char*, ActivationKind> kinds[] = {{"hard_swish", ActivationKind::hard_swish},
                                                                {"hard_sigmoid", ActivationKind::hard_sigmoid},
                                                                {"sigmoid", ActivationKind::sigmoid},
                                                                {"silu", ActivationKind::silu},
                                                                {"tanh", ActivationKind::tanh},
                                                                {"gelu", ActivationKind::gelu}};
    for (const auto& [kind_name, kind] : kinds) {
      if (name == kind_name) return {kind, 0.0F, 0.0F};
    }
  }
  fail(PyExc_ValueError, "activation: no such one, " + std::string(py::repr(object)));
}

/// A layer, the channels of its input, where their number comes from, and the number of weights.
struct Made {
  Layer layer;
  std::int64_t channels;
  const char* source;
  double weights;
};

inline double size_of(const py::handle& array) {
  const auto& raw = *reinterpret_cast<const RawArray*>(array.ptr());
  return std::accumulate(raw.dimensions, raw.dimensions + raw.nd, 1.0,
                         [](double product, auto n) { return product * static_cast<double>(n); });
}

/// Packs weights, without the GIL where that takes longer than getting it back.
template <class Kind, class... Args>
Layer packed(double weights, const Args&... args) {
  constexpr double least_weights = 1 << 16;
  std::optional<Layer> layer;
  const auto body = [&] { layer.emplace(Kind(args...)); };
  weights < least_weights ? body() : without_gil(body);
  return *std::move(layer);
}

inline Made make_depthwise(const py::tuple& a) {
  const DepthwiseFilter filter = depthwise_filter(a[0], a[1]);
  const double weights = size_of(a[0]);
  const ConvOptions options = conv_options(a[2], a[3], a[4]);
  return {packed<DepthwiseConv2D>(weights, filter, options, activation_of(a[5])), filter.channels, "weight", weights};
}

inline Made make_pointwise(const py::tuple& a) {
  const PointwiseFilter filter = pointwise_filter(a[0], a[1]);
  const double weights = size_of(a[0]);
  return {packed<PointwiseConv2D>(weights, filter, activation_of(a[2])), filter.in, "weight", weights};
}

inline Made make_separable(const py::tuple& a) {
  const DepthwiseFilter depthwise = depthwise_filter(a[0], a[2]);
  const PointwiseFilter pointwise = pointwise_filter(a[1], a[3]);
  const double weights = size_of(a[0]) + size_of(a[1]);
  const ConvOptions options = conv_options(a[4], a[5], a[6]);
  const Activation first = activation_of(a[7]), last = activation_of(a[8]);
  return {packed<SeparableConv2D>(weights, depthwise, pointwise, options, first, last), depthwise.channels, "depthwise_weight", weights};
}

inline Made make_inverted_residual(const py::tuple& a) {
  const PointwiseFilter expand = pointwise_filter(a[0], a[3]), project = pointwise_filter(a[2], a[5]);
  const DepthwiseFilter depthwise = depthwise_filter(a[1], a[4]);
  const double weights = size_of(a[0]) + size_of(a[1]) + size_of(a[2]);
  const ConvOptions options = conv_options(a[6], a[7], a[8]);
  const Activation first = activation_of(a[9]), second = activation_of(a[10]), last = activation_of(a[11]);
  return {packed<InvertedResidual>(weights, expand, depthwise, project, options, first, second, last), expand.in, "expand_weight", weights};
}

inline Made make_standard(const py::tuple& a) {
  const StandardFilter filter = standard_filter(a[0], a[1], a[5].cast<std::int64_t>());
  const double weights = size_of(a[0]);
  const ConvOptions options = conv_options(a[2], a[3], a[4]);
  return {packed<Conv2D>(weights, filter, options, activation_of(a[6])), filter.in, "weight times groups", weights};
}

/// __new__ of a class: `Make` turns a tuple of `Count` arguments into a layer and its number of input channels.
template <Made (*Make)(const py::tuple&), Py_ssize_t Count, bool TakesResidual>
PyObject* new_layer(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  return guarded([&]() -> PyObject* {
    if (PyTuple_GET_SIZE(args) != Count || (keywords != nullptr && PyDict_GET_SIZE(keywords) != 0)) {
      fail(PyExc_TypeError, std::string(type->tp_name) + ": need " + std::to_string(Count) + " positional arguments, got " +
                                std::to_string(PyTuple_GET_SIZE(args)));
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
    return object;
  });
}

inline void delete_layer(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  reinterpret_cast<LayerObject*>(object)->layer.~Layer();
  type->tp_free(object);
  Py_DECREF(type);
}

inline PyObject* refuse_new(PyTypeObject* type, PyObject*, PyObject*) {
  return PyErr_Format(PyExc_TypeError, "%s: the base of the layers, cannot be made", type->tp_name);
}

/// A shape of three or four sizes; `ndim` tells which.
inline Shape shape_of(PyObject* object, int& ndim) {
  const std::string wanted = "x_shape: need a tuple of 3 or 4 sizes, got ";
  if (!PyTuple_Check(object) && !PyList_Check(object)) fail(PyExc_TypeError, wanted + type_name(object));
  const auto sizes = py::reinterpret_steal<py::tuple>(PySequence_Tuple(object));  // a list may change under our hands
  if (!sizes) throw py::error_already_set();
  if (sizes.size() != 3 && sizes.size() != 4) fail(PyExc_ValueError, wanted + std::to_string(sizes.size()));
  std::array<std::int64_t, 4> values = {1, 0, 0, 0};
  ndim = static_cast<int>(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    PyObject* size = sizes[i].ptr();
    if (PyBool_Check(size) || !PyIndex_Check(size)) fail(PyExc_TypeError, "x_shape: need ints, got " + type_name(size));
    const Py_ssize_t value = staying([&] { return PyNumber_AsSsize_t(size, nullptr); });  // clips what is too large; refused below
    if (value == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    const bool fits = value >= 0 && value <= runtime::kLargestSize;
    if (!fits) fail(PyExc_ValueError, "x_shape: need sizes from 0 to 2^48, got " + std::string(py::repr(object)));
    values[i + 4 - sizes.size()] = value;
  }
  const Shape shape = {values[0], values[1], values[2], values[3]};
  bytes_of(shape, "x_shape");
  return shape;
}

inline Shape checked_output(const LayerObject& self, const Shape& x, int ndim) {
  check_channels("x_shape", x, ndim, self);
  const Shape y = self.layer.output_shape(x);
  bytes_of(y, "output");
  return y;
}

inline PyObject* output_shape(PyObject* self, PyObject* x_shape) {
  return guarded([&] {
    int ndim = 4;
    const Shape x = shape_of(x_shape, ndim);
    const Shape y = checked_output(*reinterpret_cast<const LayerObject*>(self), x, ndim);
    if (ndim == 3) return py::make_tuple(y.h, y.w, y.c).release().ptr();
    return py::make_tuple(y.n, y.h, y.w, y.c).release().ptr();
  });
}

inline PyObject* plan(PyObject* self, PyObject* args, PyObject* keywords) {
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
inline PyObject* add_class(py::module_& m, const char* name, PyType_Slot* slots, PyObject* base, std::size_t size) {
  constexpr unsigned flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL;
  PyType_Spec spec = {name, static_cast<int>(size), 0, flags, slots};
  auto type = py::reinterpret_steal<py::object>(PyType_FromModuleAndSpec(m.ptr(), &spec, base));
  if (!type) throw py::error_already_set();
  m.attr(type.attr("__name__")) = type;
  return type.ptr();
}

template <Made (*Make)(const py::tuple&), Py_ssize_t Count, bool TakesResidual>
void add_layer(py::module_& m, const char* name, PyObject* base) {
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(new_layer<Make, Count, TakesResidual>)}, {0, nullptr}};
  add_class(m, name, slots, base, 0);
}

inline void add_layers(py::module_& m) {
  static PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(LayerObject, vectorcall), READONLY, nullptr},
                                  {"channels", T_LONGLONG, offsetof(LayerObject, channels), READONLY, nullptr},
                                  {nullptr, 0, 0, 0, nullptr}};
  static PyMethodDef methods[] = {
      {"output_shape", output_shape, METH_O, nullptr},
      {"plan", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(plan)), METH_VARARGS | METH_KEYWORDS, nullptr},
      {nullptr, nullptr, 0, nullptr}};
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(refuse_new)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(delete_layer)},
                         {Py_tp_call, reinterpret_cast<void*>(tuple_call)},
                         {Py_tp_members, members},
                         {Py_tp_methods, methods},
                         {0, nullptr}};
  PyObject* base = add_class(m, "dwsep._core.Layer", slots, nullptr, sizeof(LayerObject));
  add_layer<make_depthwise, 6, false>(m, "dwsep._core.DepthwiseConv2D", base);
  add_layer<make_pointwise, 3, true>(m, "dwsep._core.PointwiseConv2D", base);
  add_layer<make_separable, 9, true>(m, "dwsep._core.SeparableConv2D", base);
  add_layer<make_inverted_residual, 12, true>(m, "dwsep._core.InvertedResidual", base);
  add_layer<make_standard, 7, true>(m, "dwsep._core.Conv2D", base);
}

}  // namespace dwsep::python
