// The arguments of a layer's call, by position and by name.
#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <cstddef>
#include <string>

namespace dwsep::python {

namespace py = pybind11;

/// The arguments of a call; null where not given or None. Owned, because while the kernel runs without the GIL others may empty the dict
/// that they came in.
class Arguments {
 public:
  enum Name : std::size_t { x, residual, out, num_threads };

  /// `called`: the layer, for messages.
  Arguments(PyObject* called, bool takes_residual) : called_(called), takes_residual_(takes_residual) {}

  PyObject* operator[](Name name) const { return values_[name].ptr(); }

  void set(PyObject* name, PyObject* value);
  void set_positional(PyObject* const* args, Py_ssize_t count);

  [[noreturn]] void reject(const std::string& what) const;

  /// Makes the strings "x", "residual", ... that names are compared with. Once, when the module is imported by one thread.
  static void make_names();

 private:
  PyObject* called_;
  bool takes_residual_;
  std::array<py::object, 4> values_;
};

/// num_threads as the core wants it: 0 for None. May run Python code, so it goes before arrays are looked at.
int thread_count(PyObject* object);

}  // namespace dwsep::python
