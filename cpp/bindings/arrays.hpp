// NumPy arrays as NHWC views: which arrays are accepted, what is said of the others, and new arrays for results.
#pragma once

#include <pybind11/numpy.h>

#include <array>
#include <cstdint>
#include <string>

#include "bindings/gil.hpp"
#include "bindings/recycle.hpp"
#include "dwsep/tensor.hpp"

namespace dwsep::python {

namespace py = pybind11;
using RawArray = py::detail::PyArray_Proxy;

/// What the hot path needs of NumPy; filled in once, when the module is imported.
struct Numpy {
  const py::detail::npy_api* api = nullptr;
  PyObject* float32 = nullptr;     // the dtype
  PyTypeObject* buffer = nullptr;  // the class that owns a Block
};
inline Numpy numpy;

constexpr int numpy_writeable = 0x0400, numpy_carray = 0x0501;
constexpr std::size_t line = 64;  // results begin at a multiple of this

[[noreturn]] inline void fail(PyObject* type, const std::string& message) {
  PyErr_SetString(type, message.c_str());
  throw py::error_already_set();
}

inline std::string type_name(PyObject* object) {
  const py::handle type(reinterpret_cast<PyObject*>(Py_TYPE(object)));
  const std::string module = py::str(type.attr("__module__")), name = py::str(type.attr("__qualname__"));
  return module == "builtins" ? name : module + "." + name;
}

template <class Int>
std::string shape_text(const Int* sizes, int count) {
  std::string s = "(";
  for (int i = 0; i < count; ++i) s += (i != 0 ? ", " : "") + std::to_string(sizes[i]);
  return s + (count == 1 ? ",)" : ")");
}

inline std::string shape_text(const Shape& s, int ndim) {
  const std::int64_t sizes[] = {s.n, s.h, s.w, s.c};
  return shape_text(sizes + (4 - ndim), ndim);
}

/// An array of pixels as it lies in memory.
struct View {
  char* data = nullptr;
  int ndim = 4;                           // 3 or 4
  Shape shape;                            // n = 1 where there are three axes
  std::array<std::int64_t, 4> strides{};  // in bytes; as if dense along axes of size 1
  bool direct = false;                    // aligned and its channels adjacent: kernels can take it as it lies

  Tensor tensor() const {
    constexpr std::int64_t size = sizeof(float);
    return {reinterpret_cast<float*>(data), shape, strides[0] / size, strides[1] / size, strides[2] / size};
  }
};

inline bool is_masked(PyObject* array) {
  // Whoever holds a masked array has imported its module.
  const auto name = py::str("numpy.ma");
  const auto module = py::reinterpret_steal<py::object>(PyImport_GetModule(name.ptr()));
  return module && py::isinstance(array, module.attr("MaskedArray"));
}

/// Refuses all but arrays of native float32. A subclass is read as the plain array it holds; a masked array holds more than that.
inline const RawArray& float32_array(PyObject* object, const char* name) {
  const auto refuse = [&](const std::string& got) {
    fail(PyExc_TypeError, std::string(name) + ": need a numpy.ndarray of native float32, got " + got);
  };
  if (Py_TYPE(object) != numpy.api->PyArray_Type_) {
    if (!numpy.api->PyArray_Check_(object)) refuse(type_name(object));
    if (is_masked(object)) refuse(type_name(object) + ", whose mask would be lost");
  }
  const auto& array = *reinterpret_cast<const RawArray*>(object);
  if (array.descr != numpy.float32) {
    const auto& dtype = *reinterpret_cast<const py::detail::PyArrayDescr_Proxy*>(array.descr);
    const bool native = dtype.byteorder == '=' || dtype.byteorder == '|';
    if (dtype.type_num != py::detail::npy_api::NPY_FLOAT_ || !native) refuse("dtype " + std::string(py::str(py::handle(array.descr))));
  }
  return array;
}

inline View view(PyObject* object, const char* name) {
  const RawArray& array = float32_array(object, name);
  if (array.nd != 3 && array.nd != 4) {
    fail(PyExc_ValueError, std::string(name) + ": need shape (H, W, C) or (N, H, W, C), got " + shape_text(array.dimensions, array.nd));
  }
  const auto* sizes = array.dimensions + (array.nd - 3);
  const auto* steps = array.strides + (array.nd - 3);
  constexpr std::int64_t size = sizeof(float);
  View v;
  v.data = array.data;
  v.ndim = array.nd;
  v.shape = {array.nd == 4 ? sizes[-1] : 1, sizes[0], sizes[1], sizes[2]};
  v.strides[3] = v.shape.c > 1 ? steps[2] : size;
  v.strides[2] = v.shape.w > 1 ? steps[1] : v.shape.c * v.strides[3];
  v.strides[1] = v.shape.h > 1 ? steps[0] : v.shape.w * v.strides[2];
  v.strides[0] = v.shape.n > 1 ? steps[-1] : v.shape.h * v.strides[1];
  const auto address = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(v.data));
  const bool aligned = ((address | v.strides[0] | v.strides[1] | v.strides[2]) & (size - 1)) == 0;
  v.direct = v.shape.empty() || (aligned && v.strides[3] == size);
  return v;
}

/// Bytes of a dense tensor. Throws where 63 bits do not hold them.
inline std::int64_t bytes_of(const Shape& s, const char* name) {
  std::int64_t bytes = sizeof(float);
  for (const std::int64_t n : {s.n, s.h, s.w, s.c}) {
    if (n == 0) return 0;
  }
  for (const std::int64_t n : {s.n, s.h, s.w, s.c}) {
    if (__builtin_mul_overflow(bytes, n, &bytes)) {
      fail(PyExc_ValueError, std::string(name) + ": too large, need less than 2**63 bytes, got shape " + shape_text(s, 4));
    }
  }
  return bytes;
}

/// The object behind the arrays that calls return: gives its block back when the last of them dies.
struct Buffer {
  PyObject_HEAD Block block;
};

/// Where in its block a result lies. Loads wait for stores, and for lines of the same sets of the L1 cache, where input and output are a
/// small multiple of 512 bytes apart, modulo a page: depthwise 3x3 of 56x56x128 takes 144 us with 1024 bytes and 79 with 896, of 14x14x512
/// 45 with 0 and 19 with 896. Of the distances tried, 0 to 4096 in steps of 128, those of 384 modulo 512 were never slower than others.
inline char* place(const Block& block, const char* input) {
  constexpr std::uintptr_t page = Recycler::page, distance = 896;
  const auto start = reinterpret_cast<std::uintptr_t>(block.memory);
  if (block.capacity < Recycler::min_block) return reinterpret_cast<char*>((start + line - 1) / line * line);
  const auto wanted = (reinterpret_cast<std::uintptr_t>(input) + distance) % page / line * line;
  return reinterpret_cast<char*>(start + wanted);
}

/// A new dense array whose values nobody has set. `input`: what it will be computed from.
inline py::object new_array(const Py_intptr_t* sizes, int ndim, std::int64_t bytes, const char* input) {
  const std::size_t least = static_cast<std::size_t>(bytes) + line;
  const Block block = recycler.take(least < Recycler::min_block ? least : least + Recycler::page);
  if (block.memory == nullptr) {
    fail(PyExc_MemoryError, "output: no memory for shape " + shape_text(sizes, ndim) + ", " + std::to_string(least) + " bytes");
  }
  auto* buffer = PyObject_New(Buffer, numpy.buffer);
  if (buffer == nullptr) {
    recycler.give(block);
    throw py::error_already_set();
  }
  buffer->block = block;
  auto owner = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(buffer));
  Py_INCREF(numpy.float32);
  PyObject* array = numpy.api->PyArray_NewFromDescr_(numpy.api->PyArray_Type_, numpy.float32, ndim, sizes, nullptr, place(block, input),
                                                     numpy_carray, nullptr);
  if (array == nullptr) throw py::error_already_set();
  auto result = py::reinterpret_steal<py::object>(array);
  if (numpy.api->PyArray_SetBaseObject_(array, owner.release().ptr()) != 0) throw py::error_already_set();
  return result;
}

inline py::object new_array(const Shape& shape, int ndim, const char* input) {
  const Py_intptr_t sizes[] = {shape.n, shape.h, shape.w, shape.c};
  return new_array(sizes + (4 - ndim), ndim, bytes_of(shape, "output"), input);
}

inline void copy(PyObject* to, PyObject* from) {
  const int failed = staying([&] { return numpy.api->PyArray_CopyInto_(to, from); });
  if (failed != 0) throw py::error_already_set();
}

}  // namespace dwsep::python
