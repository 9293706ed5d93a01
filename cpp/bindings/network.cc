// Networks for Python: calls of a finished network. Users see src/dwsep/model.py.
#include "bindings/network.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "bindings/arguments.hpp"
#include "bindings/arrays.hpp"
#include "bindings/copies.hpp"
#include "bindings/gil.hpp"
#include "bindings/messages.hpp"
#include "bindings/results.hpp"
#include "dwsep/network.hpp"

namespace dwsep::python {

namespace {

Sizes sizes_of(const RawArray& array) { return {array.dimensions, array.dimensions + array.nd}; }

constexpr int c_contiguous_aligned = 0x0101;

bool is_dense(const RawArray& array) { return (array.flags & c_contiguous_aligned) == c_contiguous_aligned; }

}  // namespace

ConstArray in_place(const RawArray& array, DType type) { return {array.data, sizes_of(array), type}; }

py::object result_array(const Sizes& shape, DType type) {
  static_assert(std::is_same_v<Py_intptr_t, Sizes::value_type>);
  std::int64_t bytes = size_of(type);
  for (const std::int64_t size : shape) bytes *= size;
  return new_array(shape.data(), static_cast<int>(shape.size()), bytes, nullptr, type);
}

bool is_plain(PyObject* object, DType type) {
  if (Py_TYPE(object) != numpy.array) return false;
  const RawArray& array = raw(object);
  return is_native(array.descr, type) && is_dense(array);
}

ConstArray readable(const py::handle& object, const std::string& name, int threads, py::object& keeper, DType type) {
  const RawArray& array = array_of(object.ptr(), name.c_str(), type);
  keeper = py::reinterpret_borrow<py::object>(object);
  if (is_dense(array)) return in_place(array, type);
  keeper = dense_copy(object.ptr(), threads, type);
  return in_place(raw(keeper.ptr()), type);
}

namespace {

/// The arrays of a call, owned while it runs without the GIL.
struct Call {
  std::vector<py::object> keepers;
  std::vector<ConstArray> inputs;
  std::vector<py::object> results;
  std::vector<OutputArray> outputs;

  /// A tuple, because what Python code does meanwhile may change any other sequence.
  Call(const Network& network, const py::tuple& arrays, int threads) : keepers(arrays.size()) {
    if (const std::size_t wanted = network.inputs().size(); arrays.size() != wanted) {
      const std::string some = std::to_string(wanted) + (wanted == 1 ? " array" : " arrays");
      reject(PyExc_ValueError, "inputs", some, std::to_string(arrays.size()));
    }
    const auto name = [&](std::size_t i) { return "input '" + network.inputs()[i].name + "'"; };
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      keepers[i] = arrays[i];
      if (!is_array(keepers[i].ptr())) replace_foreign(keepers[i], name(i).c_str());
    }
    inputs.reserve(arrays.size());
    std::vector<Sizes> shapes;
    shapes.reserve(arrays.size());
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const py::object item = keepers[i];
      const DType type = network.inputs()[i].dtype;
      inputs.push_back(is_plain(item.ptr(), type) ? in_place(raw(item.ptr()), type) : readable(item, name(i), threads, keepers[i], type));
      shapes.push_back(inputs.back().shape);
    }
    results.reserve(network.outputs().size());
    outputs.reserve(network.outputs().size());
    for (const Sizes& shape : network.output_shapes(shapes)) {
      const DType type = network.outputs()[outputs.size()].dtype;
      results.push_back(result_array(shape, type));
      outputs.emplace_back(raw(results.back().ptr()).data, type);
    }
  }

  py::list list() {
    py::list list(results.size());
    for (std::size_t i = 0; i < results.size(); ++i) PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), results[i].release().ptr());
    return list;
  }
};

py::list run(const Network& network, const py::sequence& arrays, const py::object& num_threads) {
  const int threads = thread_count(num_threads.ptr());
  Call call(network, py::tuple(arrays), threads);
  pausing([&](const auto& proceed) { network.run(call.inputs, call.outputs, threads, proceed); });
  return call.list();
}

py::tuple profile(const Network& network, const py::sequence& arrays, const py::object& num_threads) {
  const int threads = thread_count(num_threads.ptr());
  Call call(network, py::tuple(arrays), threads);
  std::vector<double> seconds;
  pausing([&](const auto& proceed) { seconds = network.profile(call.inputs, call.outputs, threads, proceed); });
  return py::make_tuple(call.list(), seconds);
}

/// (step, steps, thread, begin, end) for each step and thread.
py::list trace(const Network& network, const py::sequence& arrays, const py::object& num_threads) {
  const int threads = thread_count(num_threads.ptr());
  Call call(network, py::tuple(arrays), threads);
  std::vector<StepSpan> spans;
  without_gil([&] { spans = network.trace(call.inputs, call.outputs, threads); });
  py::list list;
  for (const StepSpan& s : spans) list.append(py::make_tuple(s.step, s.steps, s.thread, s.begin, s.end));
  return list;
}

/// (scales, zero_points, axis), or None.
py::object quantization(const std::optional<Quantization>& q) {
  if (!q) return py::none();
  return py::make_tuple(py::cast(q->scales), py::cast(q->zero_points), q->axis);
}

py::list infos(const std::vector<ValueInfo>& values) {
  py::list list;
  for (const ValueInfo& v : values) {
    list.append(py::make_tuple(v.name, py::tuple(py::cast(v.shape)), name_of(v.dtype), quantization(v.quantization)));
  }
  return list;
}

py::list steps(const Network& network, const std::vector<Sizes>& inputs, const py::object& num_threads) {
  py::list list;
  for (const StepInfo& step : network.steps(inputs, thread_count(num_threads.ptr()))) {
    py::dict d;
    d["name"] = step.name;
    d["kind"] = step.kind;
    d["kernel"] = step.kernel;
    py::list shapes;
    for (const Sizes& s : step.inputs) shapes.append(py::tuple(py::cast(s)));
    d["inputs"] = std::move(shapes);
    d["output"] = py::tuple(py::cast(step.output));
    d["flops"] = step.flops;
    d["bytes"] = step.bytes;
    d["parameters"] = step.parameters;
    d["free"] = step.free;
    py::list types;
    for (const DType type : step.input_types) types.append(name_of(type));
    d["input_dtypes"] = py::tuple(types);
    d["dtype"] = name_of(step.type);
    list.append(std::move(d));
  }
  return list;
}

/// Runs `body` without the GIL; a failed system call becomes an OSError of that file.
template <class Body>
void with_file(const std::string& path, const Body& body) {
  try {
    without_gil(body);
  } catch (const std::system_error& error) {
    errno = error.code().value();
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, path.c_str());
    throw py::error_already_set();
  }
}

void add_network(py::module_& m) {
  py::class_<Network>(m, "Network")
      .def_static(
          "load",
          [](const std::string& path, bool map) {
            std::optional<Network> network;
            with_file(path, [&] { network = Network::load(path, map); });
            return *network;
          },
          py::arg("path"), py::arg("map") = false)
      .def_static(
          "from_bytes",
          [](const py::bytes& content) {
            const std::string_view view = content;
            return Network::from_memory(view.data(), view.size());
          },
          py::arg("content"))
      .def(
          "save", [](const Network& network, const std::string& path) { with_file(path, [&] { network.save(path); }); }, py::arg("path"))
      .def("to_bytes",
           [](const Network& network) {
             const std::vector<char> content = network.to_memory();
             return py::bytes(content.data(), content.size());
           })
      .def_property_readonly("inputs", [](const Network& n) { return infos(n.inputs()); })
      .def_property_readonly("outputs", [](const Network& n) { return infos(n.outputs()); })
      .def_property_readonly("metadata", &Network::metadata)
      .def("trim", &Network::trim)
      .def("plans",
           [](const Network& n) {
             py::list list;
             for (const PlanInfo& plan : n.plans()) {
               py::list shapes;
               for (const Sizes& s : plan.inputs) shapes.append(py::tuple(py::cast(s)));
               list.append(py::make_tuple(shapes, plan.bytes));
             }
             return list;
           })
      .def_property_readonly("weight_bytes", &Network::weight_bytes)
      .def(
          "output_shapes",
          [](const Network& n, const std::vector<Sizes>& shapes) {
            py::list list;
            for (const Sizes& s : n.output_shapes(shapes)) list.append(py::tuple(py::cast(s)));
            return list;
          },
          py::arg("input_shapes"))
      .def(
          "admits", [](const Network& n, const std::vector<Sizes>& shapes) { return n.admits(shapes); }, py::arg("input_shapes"))
      .def("run", run, py::arg("inputs"), py::arg("num_threads") = py::none())
      .def("trace", trace, py::arg("inputs"), py::arg("num_threads") = py::none())
      .def("profile", profile, py::arg("inputs"), py::arg("num_threads") = py::none())
      .def("steps", steps, py::arg("input_shapes"), py::arg("num_threads") = py::none())
      .def(
          "arena_bytes",
          [](const Network& n, const std::vector<Sizes>& shapes, const py::object& num_threads) {
            return n.arena_bytes(shapes, thread_count(num_threads.ptr()));
          },
          py::arg("input_shapes"), py::arg("num_threads") = py::none());
}

}  // namespace

void add_networks(py::module_& m) {
  add_network(m);
  add_network_builder(m);
  add_stream(m);
}

}  // namespace dwsep::python
