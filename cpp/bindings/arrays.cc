#include "bindings/arrays.hpp"

#include <string>

#include "bindings/gil.hpp"
#include "bindings/messages.hpp"

namespace dwsep::python {
namespace {

bool is_masked(PyObject* array) {
  // A masked array exists only if its module was imported.
  const auto name = py::str("numpy.ma");
  const auto module = py::reinterpret_steal<py::object>(PyImport_GetModule(name.ptr()));
  return module && py::isinstance(array, module.attr("MaskedArray"));
}

}  // namespace

void replace_foreign(py::object& object, const char* name) {
  if (is_array(object.ptr())) return;
  object = import_module("dwsep._foreign").attr("as_array")(object, name);
}

const RawArray& array_of(PyObject* object, const char* name, DType type, const char* note) {
  const auto reject_type = [&](const std::string& got) {
    const std::string native = size_of(type) > 1 ? "native " : "";
    const bool small = got == "dtype int8" || got == "dtype uint8";
    const std::string without = type == DType::float32 && small ? note : "";
    reject(PyExc_TypeError, name, without + "a numpy.ndarray of " + native + name_of(type), got);
  };
  if (Py_TYPE(object) != numpy.array) {
    if (!is_array(object)) reject_type(type_name(object));
    if (is_masked(object)) reject_type(type_name(object) + ", whose mask would be lost");
  }
  const auto& array = *reinterpret_cast<const RawArray*>(object);
  if (!is_native(array.descr, type)) {
    reject_type("dtype " + std::string(py::str(py::handle(array.descr))));
  }
  return array;
}

View view(PyObject* object, const char* name, DType type) {
  const RawArray& array = array_of(object, name, type, "without x_quantization ");
  if (array.nd != 3 && array.nd != 4) {
    reject(PyExc_ValueError, name, "shape (H, W, C) or (N, H, W, C)", shape_text(array.dimensions, array.nd));
  }
  const auto* sizes = array.dimensions + (array.nd - 3);
  const auto* steps = array.strides + (array.nd - 3);
  const std::int64_t size = size_of(type);
  View v;
  v.dtype = type;
  v.data = array.data;
  v.ndim = array.nd;
  v.shape = {array.nd == 4 ? sizes[-1] : 1, sizes[0], sizes[1], sizes[2]};
  v.strides[3] = v.shape.c > 1 ? steps[2] : size;
  v.strides[2] = v.shape.w > 1 ? steps[1] : v.shape.c * v.strides[3];
  v.strides[1] = v.shape.h > 1 ? steps[0] : v.shape.w * v.strides[2];
  v.strides[0] = v.shape.n > 1 ? steps[-1] : v.shape.h * v.strides[1];
  const auto address = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(v.data));
  const bool aligned = ((address | v.strides[0] | v.strides[1] | v.strides[2]) & (size - 1)) == 0;
  v.dense = (array.flags & numpy_dense) == numpy_dense;
  v.direct = v.shape.empty() || (aligned && v.strides[3] == size);
  return v;
}

std::int64_t bytes_of(const Shape& s, const char* name, DType type) {
  std::int64_t bytes = size_of(type);
  for (const std::int64_t n : {s.n, s.h, s.w, s.c}) {
    if (n == 0) return 0;
  }
  for (const std::int64_t n : {s.n, s.h, s.w, s.c}) {
    if (__builtin_mul_overflow(bytes, n, &bytes)) {
      reject(PyExc_ValueError, name, "less than 2**63 bytes", "shape " + shape_text(s, 4));
    }
  }
  return bytes;
}

void copy(PyObject* to, PyObject* from) {
  const int failed = staying([&] { return numpy.copy(to, from); });
  if (failed != 0) throw py::error_already_set();
}

}  // namespace dwsep::python
