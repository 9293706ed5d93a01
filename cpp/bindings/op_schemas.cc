// The kinds of steps as the core declares them, for the test that compares them with graph/ops.
#include <pybind11/pybind11.h>

#include "bindings/network.hpp"
#include "runtime/network/ops/ops.hpp"

namespace dwsep::python {
namespace {

namespace py = pybind11;

const char* name_of(runtime::AttributeType type) {
  switch (type) {
    case runtime::AttributeType::flag:
      return "flag";
    case runtime::AttributeType::integer:
      return "int";
    case runtime::AttributeType::pair:
      return "pair";
    case runtime::AttributeType::sides:
      return "sides";
    case runtime::AttributeType::integers:
      return "ints";
    case runtime::AttributeType::real:
      return "float";
    case runtime::AttributeType::real_pair:
      return "float_pair";
    case runtime::AttributeType::reals:
      return "floats";
    case runtime::AttributeType::choice:
      return "choice";
    case runtime::AttributeType::activation:
      break;
  }
  return "activation";
}

py::dict schema(const runtime::OpSchema& op) {
  py::list attributes, weights;
  for (const runtime::AttributeSchema& a : op.attributes) {
    py::list choices;
    for (const char* const choice : a.choices) choices.append(choice);
    attributes.append(py::make_tuple(a.name, name_of(a.type), a.presence == runtime::Presence::required, py::tuple(choices)));
  }
  for (const runtime::WeightsSchema& w : op.weights) {
    weights.append(py::make_tuple(w.name, w.rank, w.presence == runtime::Presence::required));
  }
  py::dict d;
  d["inputs"] = py::make_tuple(op.least_inputs, op.most_inputs);
  d["attributes"] = std::move(attributes);
  d["weights"] = std::move(weights);
  return d;
}

}  // namespace

void add_op_schemas(py::module_& m) {
  m.def(
      "op_schemas",
      [] {
        py::dict all;
        for (const runtime::OpSchema* op : runtime::op_schemas()) all[op->kind] = schema(*op);
        return all;
      },
      "Attributes, weights and numbers of inputs of each kind of step.");
}

}  // namespace dwsep::python
