#include "bindings/numpy.hpp"

#include <utility>

namespace dwsep::python {
namespace {

/// NumPy's table of functions; its slots are part of its binary interface.
template <class T>
T slot(void** table, std::size_t index) {
  return reinterpret_cast<T>(table[index]);
}

}  // namespace

Numpy numpy;

py::object import_module(const char* name) {
  PyObject* module = PyImport_ImportModule(name);
  if (module == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(module);
}

void load_numpy() {
  const py::object module = import_module("numpy");
  const bool renamed = py::hasattr(module, "_core");  // since 2.0
  const py::object capsule = import_module(renamed ? "numpy._core.multiarray" : "numpy.core.multiarray").attr("_ARRAY_API");
  auto** table = static_cast<void**>(PyCapsule_GetPointer(capsule.ptr(), nullptr));
  if (table == nullptr) throw py::error_already_set();
  numpy.array = slot<PyTypeObject*>(table, 2);
  numpy.copy = slot<decltype(numpy.copy)>(table, 50);
  numpy.new_array = slot<decltype(numpy.new_array)>(table, 94);
  numpy.set_base = slot<decltype(numpy.set_base)>(table, 282);
  for (int i = 0; i < kDTypes; ++i) {
    numpy.dtypes[static_cast<std::size_t>(i)] = py::object(module.attr("dtype")(py::str(name_of(DType{i})))).release().ptr();
  }
}

bool equals_dtype(PyObject* descr, PyObject* wanted) {
  const int equal = PyObject_RichCompareBool(descr, wanted, Py_EQ);
  if (equal < 0) throw py::error_already_set();
  return equal != 0;
}

}  // namespace dwsep::python
