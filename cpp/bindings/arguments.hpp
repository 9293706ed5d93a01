// Positional and keyword arguments of a layer's call.
#pragma once

#include <pybind11/cast.h>

#include <array>
#include <cstddef>
#include <string>

namespace dwsep::python {

namespace py = pybind11;

/// The arguments of a call; null if absent or None. Owned, because while the kernel runs without the GIL other threads may empty the dict
/// that they came in.
class Arguments {
 public:
  enum Name : std::size_t { x, residual, out, num_threads };

  /// `called`: the layer, for messages.
  Arguments(PyObject* called, bool takes_residual) : called_(called), takes_residual_(takes_residual) {}

  PyObject* operator[](Name name) const { return values_[name].ptr(); }

  void set(PyObject* name, PyObject* value);
  void set_positional(PyObject* const* args, Py_ssize_t count);

  /// Makes views of arrays of other libraries.
  void replace_foreign_arrays();

  [[noreturn]] void reject(const std::string& what) const;

  /// Interns the names "x", "residual", ... Called once, at import.
  static void make_names();

 private:
  PyObject* called_;
  bool takes_residual_;
  std::array<py::object, 4> values_;
};

/// num_threads for the core: 0 for None. May run Python code, so it is called before arrays are read.
int thread_count(PyObject* object);

}  // namespace dwsep::python
