// Streams: calls of a network that keep its states. Users see src/dwsep/session.py.
#include <pybind11/critical_section.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <structmember.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
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

/// A step of fewer multiplications and bytes keeps the GIL, as that of a layer does: it takes a few microseconds. Copies multiply nothing:
/// a transposed image of 144 MB took 0.1 s.
constexpr double least_multiplications = 1 << 16, least_bytes = 1 << 19;

/// States lie in two arrays by turns: a step looks at the caller's arrays alone. Wake words with six states take 5 us a step, 12 where each
/// step hands over all of them.
class Stream {
 public:
  Stream(const Network& network, std::vector<Kept> kept, const py::sequence& first)
      : network_(network), kept_(std::move(kept)), inputs_(network.inputs().size()), outputs_(network.outputs().size()) {
    std::vector<char> input_is_state(inputs_.size()), output_is_state(outputs_.size());
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const auto [input, output] = kept_[k];
      if (input >= inputs_.size() || output >= outputs_.size() || input_is_state[input] != 0 || output_is_state[output] != 0)
        reject(PyExc_ValueError, "kept", "inputs and outputs of the network", "others");
      input_is_state[input] = output_is_state[output] = 1;
      states_.emplace_back();
      inputs_[input] = readable(first[k], "first", 1, states_.back(), network_.inputs()[input].dtype);
    }
    for (std::size_t o = 0; o < outputs_.size(); ++o) outputs_[o].dtype = network_.outputs()[o].dtype;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (input_is_state[i] == 0) given_.push_back(i);
    }
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      if (output_is_state[o] == 0) shown_.push_back(o);
    }
  }

  /// Returns the outputs that are no states: an array, or a tuple of them.
  py::object step(const py::tuple& arrays, const py::object& num_threads) {
    if (busy_.exchange(true)) reject(PyExc_RuntimeError, "session", "one call at a time", "a call during another");
    const Free free{busy_};
    const int threads = thread_count(num_threads.ptr());
    std::vector<py::object> keepers;
    take(arrays, threads, keepers);
    if (!prepared_) prepare(threads);
    py::object result;
    if (shown_.size() != 1) result = py::tuple(shown_.size());
    for (std::size_t r = 0; r < shown_.size(); ++r) {
      const std::size_t o = shown_[r];
      py::object array = result_array(shapes_[o], outputs_[o].dtype);
      outputs_[o].data = raw(array.ptr()).data;
      if (shown_.size() == 1) {
        result = std::move(array);
      } else {
        PyTuple_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(r), array.release().ptr());
      }
    }
    // What came first may be of another shape. Made before anything has changed, because there may be no memory for it.
    std::vector<py::object> instead;
    if (foreign_) instead = new_states();
    for (std::size_t k = 0; k < kept_.size(); ++k) outputs_[kept_[k].second].data = raw(next_[k].ptr()).data;
    if (brief_) {
      network_.run(inputs_, outputs_, threads);
    } else {
      pausing([&](const auto& proceed) { network_.run(inputs_, outputs_, threads, proceed); });
    }
    bool same = true;
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const auto [input, o] = kept_[k];
      std::swap(states_[k], next_[k]);
      ConstArray& array = inputs_[input];
      array.data = raw(states_[k].ptr()).data;
      if (foreign_ && array.shape != shapes_[o]) {
        same = false;
        array.shape = shapes_[o];
      }
    }
    if (foreign_) next_ = std::move(instead);
    foreign_ = false;
    if (!same) prepared_ = false;  // outputs of the next step may have other shapes, as where a state grows
    return result;
  }

 private:
  struct Free {
    std::atomic<bool>& busy;
    ~Free() { busy = false; }
  };

  /// Reads the caller's arrays, all of which Python code may still change before the first one is looked at.
  void take(const py::tuple& arrays, int threads, std::vector<py::object>& keepers) {
    if (const std::size_t wanted = given_.size(); arrays.size() != wanted) {
      const std::string some = std::to_string(wanted) + (wanted == 1 ? " array" : " arrays");
      reject(PyExc_ValueError, "inputs", some, std::to_string(arrays.size()));
    }
    bool plain = true;  // most are, and the tuple owns them
    for (std::size_t at = 0; at < given_.size(); ++at) {
      plain = plain && is_plain(PyTuple_GET_ITEM(arrays.ptr(), static_cast<Py_ssize_t>(at)), network_.inputs()[given_[at]].dtype);
    }
    if (!plain) make_plain(arrays, threads, keepers);
    for (std::size_t at = 0; at < given_.size(); ++at) {
      const RawArray& array = raw(plain ? PyTuple_GET_ITEM(arrays.ptr(), static_cast<Py_ssize_t>(at)) : keepers[at].ptr());
      ConstArray& input = inputs_[given_[at]];
      input.data = array.data;
      input.dtype = network_.inputs()[given_[at]].dtype;
      if (std::equal(array.dimensions, array.dimensions + array.nd, input.shape.begin(), input.shape.end())) continue;
      input.shape.assign(array.dimensions, array.dimensions + array.nd);
      prepared_ = false;
    }
  }

  /// Makes arrays of NumPy of what is none, and copies of those that cannot be read in place.
  void make_plain(const py::tuple& arrays, int threads, std::vector<py::object>& keepers) const {
    const auto name = [&](std::size_t at) { return "input '" + network_.inputs()[given_[at]].name + "'"; };
    for (std::size_t at = 0; at < given_.size(); ++at) {
      keepers.emplace_back(arrays[at]);
      if (!is_array(keepers[at].ptr())) replace_foreign(keepers[at], name(at).c_str());
    }
    for (std::size_t at = 0; at < given_.size(); ++at) {
      const py::object item = keepers[at];
      readable(item, name(at), threads, keepers[at], network_.inputs()[given_[at]].dtype);
    }
  }

  void prepare(int threads) {
    std::vector<Sizes> shapes;
    for (const ConstArray& input : inputs_) shapes.push_back(input.shape);
    shapes_ = network_.output_shapes(shapes);
    double multiplications = 0, bytes = 0;
    for (const StepInfo& step : network_.steps(shapes, threads)) {
      multiplications += step.flops / 2;
      bytes += step.bytes;
    }
    brief_ = multiplications < least_multiplications && bytes < least_bytes;
    next_ = new_states();
    foreign_ = prepared_ = true;
  }

  /// Arrays for what a step leaves of each state.
  std::vector<py::object> new_states() const {
    std::vector<py::object> states;
    for (const Kept& kept : kept_) states.push_back(result_array(shapes_[kept.second], network_.outputs()[kept.second].dtype));
    return states;
  }

  const Network network_;
  const std::vector<Kept> kept_;
  std::vector<std::size_t> given_, shown_;  ///< inputs and outputs that are no states
  std::vector<ConstArray> inputs_;
  std::vector<OutputArray> outputs_;
  std::vector<Sizes> shapes_;              ///< of outputs, for these inputs
  std::vector<py::object> states_, next_;  ///< of each kept: what the next step reads and writes
  bool prepared_ = false;                  ///< for inputs of these shapes
  bool brief_ = false;                     ///< whether a step keeps the GIL
  bool foreign_ = true;                    ///< whether states_ may have other shapes than next_
  std::atomic<bool> busy_{false};
};

/// The base of dwsep.Session. That calls are its own saves a frame of Python and pybind11's dispatch. Without support for the collector of
/// cycles, as a stream holds arrays alone.
struct SessionObject {
  PyObject_HEAD PyObject* stream;
};

/// Made once, never destroyed.
PyTypeObject* stream_type;

void delete_session(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  Py_XDECREF(reinterpret_cast<SessionObject*>(object)->stream);
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject* call_session(PyObject* self, PyObject* args, PyObject* keywords) {
  return guarded([&] {
    py::object stream, threads = py::none();
    if (keywords != nullptr) {
      const py::scoped_critical_section lock{py::handle(keywords)};
      PyObject *name = nullptr, *value = nullptr;
      for (Py_ssize_t i = 0; PyDict_Next(keywords, &i, &name, &value) != 0;) {
        if (!PyUnicode_Check(name) || PyUnicode_CompareWithASCIIString(name, "num_threads") != 0)
          raise(PyExc_TypeError, "a session takes arrays and num_threads, not " + std::string(py::repr(name)));
        threads = py::reinterpret_borrow<py::object>(value);
      }
    }
    {
      const py::scoped_critical_section lock{py::handle(self)};
      stream = py::reinterpret_borrow<py::object>(reinterpret_cast<SessionObject*>(self)->stream);
    }
    const auto arrays = py::reinterpret_borrow<py::tuple>(args);
    if (!stream || Py_TYPE(stream.ptr()) != stream_type) return py::handle(self).attr("_step")(arrays, threads).release().ptr();
    const auto* const instance = reinterpret_cast<py::detail::instance*>(stream.ptr());
    auto* const steps = static_cast<Stream*>(instance->simple_value_holder[0]);
    if (steps == nullptr) raise(PyExc_TypeError, "a stream that was never made");
    return steps->step(arrays, threads).release().ptr();
  });
}

void add_session(const py::module_& m) {
  static PyMemberDef members[] = {{"_stream", T_OBJECT, offsetof(SessionObject, stream), 0, nullptr}, {nullptr, 0, 0, 0, nullptr}};
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(delete_session)},
                         {Py_tp_call, reinterpret_cast<void*>(call_session)},
                         {Py_tp_members, members},
                         {0, nullptr}};
  PyType_Spec spec = {"dwsep._core.Session", sizeof(SessionObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  m.attr("Session") = type;
}

}  // namespace

void add_stream(py::module_& m) {
  auto stream =
      py::class_<Stream>(m, "Stream")
          .def(py::init<const Network&, std::vector<Kept>, const py::sequence&>(), py::arg("network"), py::arg("kept"), py::arg("first"))
          .def("step", &Stream::step, py::arg("inputs"), py::arg("num_threads") = py::none());
  stream_type = reinterpret_cast<PyTypeObject*>(stream.release().ptr());
  add_session(m);
}

}  // namespace dwsep::python
