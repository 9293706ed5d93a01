// The module dwsep._core: all that Python sees of the C++ library.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "bindings/arguments.hpp"
#include "bindings/call.hpp"
#include "bindings/gil.hpp"
#include "bindings/layers.hpp"
#include "bindings/messages.hpp"
#include "bindings/network.hpp"
#include "bindings/numpy.hpp"
#include "bindings/recycle.hpp"
#include "bindings/results.hpp"
#include "dwsep/c_api.h"
#include "dwsep/dwsep.hpp"
#include "runtime/threads/float_environment.hpp"

namespace {

namespace py = pybind11;
using namespace dwsep::python;

void add_recycler(py::module_& m) {
  m.def(
      "recycled_bytes", [] { return recycler.bytes(); }, "Bytes held for coming results.");
  m.def(
      "clear_recycled", [] { recycler.clear(); }, "Give the bytes held for coming results back to the system.");
}

void add_bandwidth(py::module_& m, const char* name, double (*time)(std::int64_t, std::int64_t, double*), const char* doc) {
  m.def(
      name,
      [time](std::int64_t bytes, std::int64_t rounds) {
        if (bytes < 1) reject(PyExc_ValueError, "bytes", "at least 1", std::to_string(bytes));
        if (rounds < 1) reject(PyExc_ValueError, "rounds", "at least 1", std::to_string(rounds));
        double seconds = 0, moved = 0;
        without_gil([&] { seconds = time(bytes, rounds, &moved); });
        return py::make_tuple(seconds, moved);
      },
      py::arg("bytes"), py::arg("rounds"), doc);
}

void add_activations(py::module_& m) {
  m.def(
      "activations",
      [] {
        py::dict d;
        for (const dwsep::ActivationInfo& a : dwsep::kActivations) d[a.name] = a.numbers;
        return d;
      },
      "How many numbers each activation takes, by name.");
}

void add_cpu(py::module_& m) {
  m.def("isa", &dwsep::isa, "The instruction set in use.");
  m.def("isas", &dwsep::isas, "The instruction sets that this processor can run, best first.");
  m.def("features", &dwsep::features, "The features of this processor that kernels may ask for.");
  m.def("features_in_use", &dwsep::features_in_use, "Those that may be used, after what DWSEP_ISA says.");
  m.def("lanes", &dwsep::vector_lanes, "Floats in one vector of the instruction set in use.");
  m.def("cpu_name", &dwsep::cpu_name, "The processor's name.");
  m.def("available_cpus", &dwsep::available_cpus, "CPUs that this process may use.");
  m.def("set_num_threads", &dwsep::set_num_threads, py::arg("threads"), "0 returns to the default.");
  m.def("get_num_threads", &dwsep::num_threads, "Threads of a call that does not say.");
  m.def(
      "in_float_environment",
      [](const py::object& function) {
        const dwsep::runtime::FloatEnvironment defaults;
        return function();
      },
      py::arg("function"), "What `function` returns, called in the floating-point environment that kernels run in.");
  m.def(
      "cache_sizes",
      [] {
        const dwsep::CacheSizes sizes = dwsep::cache_sizes();
        py::dict d;
        d["l1d"] = sizes.l1d;
        d["l2"] = sizes.l2;
        d["l3"] = sizes.l3;
        return d;
      },
      "Bytes of each level, keyed l1d, l2 and l3.");
  m.def(
      "kernels",
      [] {
        py::list list;
        for (const dwsep::KernelInfo& kernel : dwsep::kernels()) {
          py::dict d;
          d["family"] = kernel.family;
          d["name"] = kernel.name;
          d["kernel_size"] = py::make_tuple(kernel.kernel_h, kernel.kernel_w);
          d["stride"] = py::make_tuple(kernel.stride_h, kernel.stride_w);
          d["dilation"] = py::make_tuple(kernel.dilation_h, kernel.dilation_w);
          d["multiplier"] = kernel.multiplier;
          d["isa"] = kernel.isa;
          d["dtype"] = kernel.dtype;
          d["output_dtype"] = kernel.output_dtype;
          list.append(d);
        }
        return list;
      },
      "The kernels of the instruction set in use; a size of 0 stands for any.");
  m.def(
      "time_fma",
      [](std::int64_t iterations) {
        if (iterations < 1) reject(PyExc_ValueError, "iterations", "at least 1", std::to_string(iterations));
        double seconds = 0, flops = 0;
        without_gil([&] { seconds = dwsep::time_fma(iterations, &flops); });
        return py::make_tuple(seconds, flops);
      },
      py::arg("iterations"), "Seconds that rounds of independent fused multiply-adds take, and how many operations they are.");
  m.def("int8_sets", &dwsep::int8_sets, "The sets of kernels with int8 products that this processor can run, best first.");
  m.def(
      "time_dot",
      [](const std::string& set, std::int64_t iterations) {
        if (iterations < 1) reject(PyExc_ValueError, "iterations", "at least 1", std::to_string(iterations));
        double seconds = 0, ops = 0;
        without_gil([&] { seconds = dwsep::time_dot(set, iterations, &ops); });
        return py::make_tuple(seconds, ops);
      },
      py::arg("set"), py::arg("iterations"), "Seconds that rounds of int8 products of a set take, and how many operations they are.");
  add_bandwidth(m, "time_read", &dwsep::time_read, "Seconds of rounds that read so many bytes of memory, and the bytes read.");
  add_bandwidth(m, "time_copy", &dwsep::time_copy, "Seconds of rounds that copy half of so many bytes to the other, and the bytes moved.");
}

/// A capsule "dwsep_layer" of the layer's own handle, which lives as long as the layer.
py::capsule layer_handle(const py::object& layer, const py::object& layer_class) {
  if (!py::isinstance(layer, layer_class)) reject(PyExc_TypeError, "layer", "a dwsep layer", type_name(layer.ptr()));
  return py::capsule(static_cast<void*>(&reinterpret_cast<LayerObject*>(layer.ptr())->layer), "dwsep_layer");
}

/// The table of C functions, and layers and networks of Python lent to C: what dwsep/cython_api.pyx builds upon.
void add_c_api(py::module_& m) {
  m.attr("_C_API") = py::capsule(dwsep_get_api(DWSEP_C_ABI), "dwsep._core._C_API");
  const py::object layer_class = m.attr("Layer");
  m.def(
      "layer_handle", [layer_class](const py::object& layer) { return layer_handle(layer, layer_class); }, py::arg("layer"),
      "A capsule of the layer's handle in the C interface, valid while the layer lives.");
  m.def(
      "network_handle", [](const dwsep::Network& network) { return py::capsule(static_cast<const void*>(&network), "dwsep_network"); },
      py::arg("network"), "A capsule of the network's handle in the C interface, valid while the network lives.");
}

}  // namespace

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The C++ core of dwsep.";
  load_numpy();
  add_results(m);
  add_recycler(m);
  Arguments::make_names();
  add_layers(m);
  add_activations(m);
  add_cpu(m);
  add_networks(m);
  add_op_schemas(m);
  add_flat_buffer(m);
  add_c_api(m);
}
