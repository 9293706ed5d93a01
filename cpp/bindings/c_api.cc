#include "bindings/c_api.hpp"

#include "bindings/call.hpp"
#include "bindings/messages.hpp"
#include "dwsep/c_api.h"
#include "dwsep/network.hpp"

namespace dwsep::python {
namespace {

/// A capsule "dwsep_layer" of the layer's handle, valid while the layer lives.
py::capsule layer_handle(const py::object& layer, const py::object& layer_class) {
  if (!py::isinstance(layer, layer_class)) reject(PyExc_TypeError, "layer", "a dwsep layer", type_name(layer.ptr()));
  return py::capsule(static_cast<void*>(&reinterpret_cast<LayerObject*>(layer.ptr())->layer), "dwsep_layer");
}

}  // namespace

void add_c_api(py::module_& m) {
  m.attr("_C_API") = py::capsule(dwsep_get_api(DWSEP_C_ABI), "dwsep._core._C_API");
  const py::object layer_class = m.attr("Layer");
  m.def(
      "layer_handle", [layer_class](const py::object& layer) { return layer_handle(layer, layer_class); }, py::arg("layer"),
      "A capsule of the layer's handle in the C interface, valid while the layer lives.");
  m.def(
      "network_handle", [](const Network& network) { return py::capsule(static_cast<const void*>(&network), "dwsep_network"); },
      py::arg("network"), "A capsule of the network's handle in the C interface, valid while the network lives.");
}

}  // namespace dwsep::python
