#include "bindings/messages.hpp"

#include <cstdint>
#include <new>
#include <stdexcept>

namespace dwsep::python {

void raise(PyObject* type, const std::string& message) {
  PyErr_SetString(type, message.c_str());
  throw py::error_already_set();
}

void reject(PyObject* type, const std::string& what, const std::string& wanted, const std::string& got) {
  raise(type, what + ": need " + wanted + ", got " + got);
}

std::string type_name(PyObject* object) {
  const py::handle type(reinterpret_cast<PyObject*>(Py_TYPE(object)));
  const std::string module = py::str(type.attr("__module__")), name = py::str(type.attr("__qualname__"));
  return module == "builtins" ? name : module + "." + name;
}

std::string shape_text(const Py_intptr_t* sizes, int count) {
  std::string s = "(";
  for (int i = 0; i < count; ++i) s += (i != 0 ? ", " : "") + std::to_string(sizes[i]);
  return s + (count == 1 ? ",)" : ")");
}

std::string shape_text(const Shape& s, int ndim) {
  const Py_intptr_t sizes[] = {s.n, s.h, s.w, s.c};
  return shape_text(sizes + (4 - ndim), ndim);
}

void set_python_error() {
  try {
    throw;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::cast_error& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::logic_error& error) {  // invalid_argument, length_error, out_of_range
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::overflow_error& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

}  // namespace dwsep::python
