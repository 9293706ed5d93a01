#include "bindings/results.hpp"

#include <cstddef>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/messages.hpp"
#include "bindings/recycle.hpp"

namespace dwsep::python {
namespace {

constexpr std::size_t line = 64;  // results begin at a multiple of this

/// The object behind the arrays that calls return: gives its block back when the last of them dies.
struct Buffer {
  PyObject_HEAD Block block;
};

/// Where in its block a result lies. Loads wait for stores, and for lines of the same sets of the L1 cache, where input and output are a
/// small multiple of 512 bytes apart, modulo a page: depthwise 3x3 of 56x56x128 takes 144 us with 1024 bytes and 79 with 896, of 14x14x512
/// 45 with 0 and 19 with 896. Of the distances tried, 0 to 4096 in steps of 128, those of 384 modulo 512 were never slower than others.
char* place(const Block& block, const char* input, bool alike) {
  constexpr std::uintptr_t page = Recycler::page, distance = 896;
  const auto start = reinterpret_cast<std::uintptr_t>(block.memory);
  if (block.capacity < Recycler::min_block) return reinterpret_cast<char*>((start + line - 1) / line * line);
  const auto wanted = (reinterpret_cast<std::uintptr_t>(input) + distance) % page;
  return reinterpret_cast<char*>(start + (alike ? wanted : wanted / line * line));
}

void delete_buffer(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  recycler.give(reinterpret_cast<Buffer*>(object)->block);
  type->tp_free(object);
  Py_DECREF(type);
}

}  // namespace

py::object new_array(const Py_intptr_t* sizes, int ndim, std::int64_t bytes, const char* input, DType type, bool alike) {
  const std::size_t least = static_cast<std::size_t>(bytes) + line;
  const Block block = recycler.take(least < Recycler::min_block ? least : least + Recycler::page);
  if (block.memory == nullptr) {
    raise(PyExc_MemoryError, "output: no memory for shape " + shape_text(sizes, ndim) + ", " + std::to_string(least) + " bytes");
  }
  auto* buffer = PyObject_New(Buffer, numpy.buffer);
  if (buffer == nullptr) {
    recycler.give(block);
    throw py::error_already_set();
  }
  buffer->block = block;
  auto owner = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(buffer));
  Py_INCREF(numpy_dtype(type));
  PyObject* array =
      numpy.new_array(numpy.array, numpy_dtype(type), ndim, sizes, nullptr, place(block, input, alike), numpy_carray, nullptr);
  if (array == nullptr) throw py::error_already_set();
  auto result = py::reinterpret_steal<py::object>(array);
  if (numpy.set_base(array, owner.release().ptr()) != 0) throw py::error_already_set();
  return result;
}

py::object new_array(const Shape& shape, int ndim, const char* input, DType type, bool alike) {
  const Py_intptr_t sizes[] = {shape.n, shape.h, shape.w, shape.c};
  return new_array(sizes + (4 - ndim), ndim, bytes_of(shape, "output", type), input, type, alike);
}

void add_results(const py::object& module) {
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(delete_buffer)}, {0, nullptr}};
  constexpr unsigned flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION;
  PyType_Spec spec = {"dwsep._core.Buffer", sizeof(Buffer), 0, flags, slots};
  PyObject* type = PyType_FromModuleAndSpec(module.ptr(), &spec, nullptr);
  if (type == nullptr) throw py::error_already_set();
  numpy.buffer = reinterpret_cast<PyTypeObject*>(type);  // for as long as the process lives: arrays may outlive the module
  guard_recycler_against_fork();
}

}  // namespace dwsep::python
