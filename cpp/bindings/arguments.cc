#include "bindings/arguments.hpp"

#include <climits>

#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/messages.hpp"

namespace dwsep::python {
namespace {

std::array<PyObject*, 4> parameter_names{};  // interned: mostly found by comparing addresses

}  // namespace

void Arguments::make_names() {
  parameter_names = {PyUnicode_InternFromString("x"), PyUnicode_InternFromString("residual"), PyUnicode_InternFromString("out"),
                     PyUnicode_InternFromString("num_threads")};
}

void Arguments::reject(const std::string& what) const {
  const std::string wanted = takes_residual_ ? "x, residual, out and num_threads" : "x, out and num_threads";
  python::reject(PyExc_TypeError, std::string(Py_TYPE(called_)->tp_name) + "()", wanted + ", the last two by name only", what);
}

void Arguments::set(PyObject* name, PyObject* value) {
  if (!PyUnicode_Check(name)) reject("an argument named " + std::string(py::repr(name)));
  std::size_t i = 0;
  while (i < 4 && parameter_names[i] != name) ++i;
  for (std::size_t j = 0; i == 4 && j < 4; ++j) {
    if (PyUnicode_Compare(parameter_names[j], name) == 0) i = j;
  }
  if (i == 4 || (i == residual && !takes_residual_)) reject("an argument named " + std::string(py::repr(name)));
  if (values_[i]) reject("two arguments named " + std::string(py::repr(name)));
  if (value != Py_None || i == x) values_[i] = py::reinterpret_borrow<py::object>(value);
}

void Arguments::set_positional(PyObject* const* args, Py_ssize_t count) {
  if (count > (takes_residual_ ? 2 : 1)) reject(std::to_string(count) + " without a name");
  if (count > 0) values_[x] = py::reinterpret_borrow<py::object>(args[0]);
  if (count > 1 && args[1] != Py_None) values_[residual] = py::reinterpret_borrow<py::object>(args[1]);
}

void Arguments::replace_foreign_arrays() {
  replace_foreign(values_[x], "x");
  if (values_[residual]) replace_foreign(values_[residual], "residual");
}

int thread_count(PyObject* object) {
  if (object == nullptr || object == Py_None) return 0;
  const auto reject_count = [object](PyObject* type) {
    reject(type, "num_threads", "None or an int from 1 to " + std::to_string(INT_MAX),
           std::string(py::repr(object)) + " (" + type_name(object) + ")");
  };
  if (PyBool_Check(object) || !PyIndex_Check(object)) reject_count(PyExc_TypeError);
  const auto number = py::reinterpret_steal<py::object>(staying([&] { return PyNumber_Index(object); }));
  if (!number) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
    PyErr_Clear();  // an array of several numbers has an __index__ as well
    reject_count(PyExc_TypeError);
  }
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(number.ptr(), &overflow);
  if (overflow != 0 || value < 1 || value > INT_MAX) reject_count(PyExc_ValueError);
  return static_cast<int>(value);
}

}  // namespace dwsep::python
