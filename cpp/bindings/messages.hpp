// Python errors, and values in their messages.
#pragma once

#include <pybind11/cast.h>

#include <exception>
#include <string>

#include "dwsep/tensor.hpp"

namespace dwsep::python {

namespace py = pybind11;

[[noreturn]] void raise(PyObject* type, const std::string& message);
/// The form of errors about an argument, as in runtime/reject.hpp.
[[noreturn]] void reject(PyObject* type, const std::string& what, const std::string& wanted, const std::string& got);

/// The name of an object's class, with its module unless that is builtins.
std::string type_name(PyObject* object);

std::string shape_text(const Py_intptr_t* sizes, int count);
/// The last `ndim` of the four sizes.
std::string shape_text(const Shape& s, int ndim);

/// Turns the exception that is being handled into Python's error.
void set_python_error();

/// Runs `body` for C callers: what it throws becomes Python's error.
template <class Body>
PyObject* guarded(const Body& body) {
  try {
    return body();
  } catch (const std::exception&) {  // not ..., which would stop the forced unwinding of a daemon thread
    set_python_error();
  }
  return nullptr;
}

}  // namespace dwsep::python
