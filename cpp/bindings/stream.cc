// Streams: calls of a network that keep its states. Users see src/dwsep/session.py.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arguments.hpp"
#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/messages.hpp"
#include "bindings/network.hpp"

namespace dwsep::python {
namespace {

/// An input that takes what the step before left as an output.
using Kept = std::pair<std::size_t, std::size_t>;

/// States lie in two arrays by turns: a step looks at the caller's arrays alone. Wake words with six states take 8 us a step, 12 where each
/// step hands over all of them.
class Stream {
 public:
  Stream(const Network& network, std::vector<Kept> kept, const py::sequence& first)
      : network_(network), kept_(std::move(kept)), inputs_(network.inputs().size()), outputs_(network.outputs().size()) {
    input_is_state_.resize(inputs_.size());
    output_is_state_.resize(outputs_.size());
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const auto [input, output] = kept_[k];
      if (input >= inputs_.size() || output >= outputs_.size() || input_is_state_[input] || output_is_state_[output])
        reject(PyExc_ValueError, "kept", "inputs and outputs of the network", "others");
      input_is_state_[input] = output_is_state_[output] = true;
      states_.emplace_back();
      inputs_[input] = readable(first[k], "first", 1, states_.back(), network_.inputs()[input].dtype);
    }
  }

  py::list step(const py::tuple& arrays, const py::object& num_threads) {
    if (busy_.exchange(true)) reject(PyExc_RuntimeError, "session", "one call at a time", "a call during another");
    const Free free{busy_};
    const int threads = thread_count(num_threads.ptr());
    std::vector<py::object> keepers(arrays.size());
    take(arrays, threads, keepers);
    if (next_.empty()) prepare();
    py::list results;
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      if (output_is_state_[o]) continue;
      const DType type = network_.outputs()[o].dtype;
      results.append(result_array(shapes_[o], type));
      outputs_[o] = {raw(results[results.size() - 1].ptr()).data, type};
    }
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const std::size_t o = kept_[k].second;
      outputs_[o] = {raw(next_[k].ptr()).data, network_.outputs()[o].dtype};
    }
    pausing([&](const auto& proceed) { network_.run(inputs_, outputs_, threads, proceed); });
    bool same = true;
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const auto [input, o] = kept_[k];
      same = same && inputs_[input].shape == shapes_[o];
      std::swap(states_[k], next_[k]);
      inputs_[input] = in_place(raw(states_[k].ptr()), network_.outputs()[o].dtype);
      if (foreign_) next_[k] = result_array(shapes_[o], network_.outputs()[o].dtype);  // what came first may be of another shape
    }
    foreign_ = false;
    if (!same) next_.clear();  // outputs of the next step may have other shapes, as where a state grows
    return results;
  }

 private:
  struct Free {
    std::atomic<bool>& busy;
    ~Free() { busy = false; }
  };

  /// Reads the caller's arrays, all of which Python code may still change before the first one is looked at.
  void take(const py::tuple& arrays, int threads, std::vector<py::object>& keepers) {
    if (const std::size_t wanted = inputs_.size() - kept_.size(); arrays.size() != wanted) {
      const std::string some = std::to_string(wanted) + (wanted == 1 ? " array" : " arrays");
      reject(PyExc_ValueError, "inputs", some, std::to_string(arrays.size()));
    }
    const auto name = [&](std::size_t i) { return "input '" + network_.inputs()[i].name + "'"; };
    std::size_t at = 0;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (input_is_state_[i]) continue;
      keepers[at] = arrays[at];
      if (!is_array(keepers[at].ptr())) replace_foreign(keepers[at], name(i).c_str());
      ++at;
    }
    at = 0;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (input_is_state_[i]) continue;
      const py::object item = keepers[at];
      const DType type = network_.inputs()[i].dtype;
      ConstArray array = is_plain(item.ptr(), type) ? in_place(raw(item.ptr()), type) : readable(item, name(i), threads, keepers[at], type);
      if (array.shape != inputs_[i].shape) next_.clear();
      inputs_[i] = std::move(array);
      ++at;
    }
  }

  void prepare() {
    std::vector<Sizes> shapes;
    for (const ConstArray& input : inputs_) shapes.push_back(input.shape);
    shapes_ = network_.output_shapes(shapes);
    std::vector<py::object> next;
    for (const Kept& kept : kept_) next.push_back(result_array(shapes_[kept.second], network_.outputs()[kept.second].dtype));
    next_ = std::move(next);
    foreign_ = true;
  }

  const Network network_;
  const std::vector<Kept> kept_;
  std::vector<bool> input_is_state_, output_is_state_;
  std::vector<ConstArray> inputs_;
  std::vector<OutputArray> outputs_;
  std::vector<Sizes> shapes_;              ///< of outputs, for these inputs
  std::vector<py::object> states_, next_;  ///< of each kept: what the next step reads and writes; none before shapes are known
  bool foreign_ = true;                    ///< whether states_ may have other shapes than next_
  std::atomic<bool> busy_{false};
};

}  // namespace

void add_stream(py::module_& m) {
  py::class_<Stream>(m, "Stream")
      .def(py::init<const Network&, std::vector<Kept>, const py::sequence&>(), py::arg("network"), py::arg("kept"), py::arg("first"))
      .def("step", &Stream::step, py::arg("inputs"), py::arg("num_threads") = py::none());
}

}  // namespace dwsep::python
