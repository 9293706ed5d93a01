// The builder of networks, which lowering uses.
#include <pybind11/stl.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arguments.hpp"
#include "bindings/arrays.hpp"
#include "bindings/messages.hpp"
#include "bindings/network.hpp"
#include "runtime/network/ops/elements.hpp"

namespace dwsep::python {
namespace {

/// The type of an array's elements; of others, float32, as which they are then refused.
DType dtype_of(const py::handle& object) {
  for (int i = 0; i < kDTypes && is_array(object.ptr()); ++i) {
    if (is_native(raw(object.ptr()).descr, DType{i})) return DType{i};
  }
  return DType::float32;
}

DType dtype_named(const std::string& name) {
  std::string all;
  for (int i = 0; i < kDTypes; ++i) {
    if (name == name_of(DType{i})) return DType{i};
    all += (i > 0 ? ", " : "") + std::string(name_of(DType{i}));
  }
  reject(PyExc_ValueError, "dtype", "one of " + all, name);
}

using Scales = std::tuple<std::vector<float>, std::vector<std::int32_t>, int>;  // scales, zero points, axis

std::optional<Quantization> quantization_of(const std::optional<Scales>& scales) {
  if (!scales) return std::nullopt;
  return Quantization{std::get<0>(*scales), std::get<1>(*scales), std::get<2>(*scales)};
}

/// A string, a number or numbers: integers only where all are int.
NetworkAttribute attribute(const std::string& name, const py::handle& value) {
  if (py::isinstance<py::str>(value)) return py::cast<std::string>(value);
  const py::object list = py::isinstance<py::sequence>(value) ? py::reinterpret_borrow<py::object>(value) : py::make_tuple(value);
  bool whole = true;
  for (const py::handle& item : list) {
    const bool real = PyFloat_Check(item.ptr()) != 0;
    if (!real && PyLong_Check(item.ptr()) == 0)
      reject(PyExc_TypeError, name, "a str, int, float or a sequence of numbers", type_name(item.ptr()));
    whole = whole && !real;
  }
  if (whole) return py::cast<std::vector<std::int64_t>>(list);
  return py::cast<std::vector<double>>(list);
}

/// A builder that threads may share: none sees another's incomplete step.
class SharedBuilder {
 public:
  template <class Body>
  auto with(const Body& body) {  // which must not touch Python: a thread that waits here may hold the GIL
    const std::lock_guard<std::mutex> lock(mutex_);
    return body(builder_);
  }

 private:
  std::mutex mutex_;
  NetworkBuilder builder_;
};

/// Of any number: the core refuses those that mean nothing.
template <class Enum>
Enum enumerator(int number) {
  return static_cast<Enum>(number >= 0 && number < 255 ? number : 255);
}

/// A snapshot of a dict that other threads may be changing.
py::dict snapshot(const py::dict& dict) {
  PyObject* const copied = PyDict_Copy(dict.ptr());
  if (copied == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::dict>(copied);
}

int add_step(SharedBuilder& builder, const std::string& kind, const std::string& name, const std::vector<int>& inputs,
             const py::dict& attributes, const py::dict& weights) {
  std::map<std::string, NetworkAttribute> attribute_map;
  for (const auto& item : snapshot(attributes)) {
    const auto key = py::cast<std::string>(item.first);
    attribute_map.emplace(key, attribute(key, item.second));
  }
  std::vector<py::object> keepers;
  std::map<std::string, ConstArray> weight_map;
  for (const auto& item : snapshot(weights)) {
    const auto key = py::cast<std::string>(item.first);
    py::object keeper;
    weight_map.emplace(key, readable(item.second, key, 1, keeper, dtype_of(item.second)));
    keepers.push_back(std::move(keeper));
  }
  return builder.with([&](NetworkBuilder& b) { return b.step(kind, name, inputs, attribute_map, weight_map); });
}

}  // namespace

void add_network_builder(py::module_& m) {
  m.def(
      "floats",
      [](const py::object& halves) {
        py::object keeper;
        const ConstArray from = readable(halves, "halves", 1, keeper, DType::float16);
        py::object to = result_array(from.shape, DType::float32);
        std::int64_t count = 1;
        for (const std::int64_t size : from.shape) count *= size;
        runtime::to_floats(static_cast<const runtime::Half*>(from.data), reinterpret_cast<float*>(raw(to.ptr()).data), count);
        return to;
      },
      py::arg("halves"), "An array of float16 as float32.");
  py::class_<SharedBuilder>(m, "NetworkBuilder")
      .def(py::init<>())
      .def(
          "input",
          [](SharedBuilder& builder, const std::string& name, const Sizes& shape, const std::string& dtype,
             const std::optional<Scales>& scales) {
            const DType type = dtype_named(dtype);
            const std::optional<Quantization> q = quantization_of(scales);
            return builder.with([&](NetworkBuilder& b) { return b.input(name, shape, type, q ? &*q : nullptr); });
          },
          py::arg("name"), py::arg("shape"), py::arg("dtype") = "float32", py::arg("quantization") = py::none())
      .def(
          "constant",
          [](SharedBuilder& builder, const py::object& array, const std::optional<Scales>& scales) {
            py::object keeper;
            ConstArray values = readable(array, "array", 1, keeper, dtype_of(array));
            const std::optional<Quantization> q = quantization_of(scales);
            if (q) values.quantization = &*q;
            return builder.with([&](NetworkBuilder& b) { return b.constant(values); });
          },
          py::arg("array"), py::arg("quantization") = py::none())
      .def("step", add_step, py::arg("kind"), py::arg("name"), py::arg("inputs"), py::arg("attributes"), py::arg("weights"))
      .def(
          "output",
          [](SharedBuilder& builder, const std::string& name, int value) {
            builder.with([&](NetworkBuilder& b) { b.output(name, value); });
          },
          py::arg("name"), py::arg("value"))
      .def(
          "example",
          [](SharedBuilder& builder, const std::vector<Sizes>& inputs) { builder.with([&](NetworkBuilder& b) { b.example(inputs); }); },
          py::arg("inputs"))
      .def(
          "size",
          [](SharedBuilder& builder, int op, std::int64_t a, std::int64_t b) {
            return builder.with([&](NetworkBuilder& n) { return n.size(enumerator<SizeOp>(op), a, b); });
          },
          py::arg("op"), py::arg("a"), py::arg("b") = 0)
      .def(
          "require",
          [](SharedBuilder& builder, int size, int relation, const std::string& text) {
            builder.with([&](NetworkBuilder& b) { b.require(size, enumerator<SizeRelation>(relation), text); });
          },
          py::arg("size"), py::arg("relation"), py::arg("text"))
      .def(
          "open_attribute",
          [](SharedBuilder& builder, int value, const std::string& attribute, std::size_t position, int size, int divisor) {
            builder.with([&](NetworkBuilder& b) { b.open_attribute(value, attribute, position, size, divisor); });
          },
          py::arg("value"), py::arg("attribute"), py::arg("position"), py::arg("size"), py::arg("divisor") = -1)
      .def(
          "open_output",
          [](SharedBuilder& builder, int output, int axis) { builder.with([&](NetworkBuilder& b) { b.open_output(output, axis); }); },
          py::arg("output"), py::arg("axis"))
      .def(
          "metadata",
          [](SharedBuilder& builder, const std::string& key, const std::string& text) {
            builder.with([&](NetworkBuilder& b) { b.metadata(key, text); });
          },
          py::arg("key"), py::arg("text"))
      .def("finish", [](SharedBuilder& builder) { return builder.with([](NetworkBuilder& b) { return b.finish(); }); });
}

}  // namespace dwsep::python
