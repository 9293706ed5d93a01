// Reads FlatBuffers, the encoding of TFLite files; each distance is checked before it is followed.
//
// A table starts with the distance back to its vtable, which has the place of each field; a field that is not there has its default.
// Strings, vectors and tables are reached by distances ahead. (Code that is generated from the schema follows whatever distances a file
// has.) All structures of the schema nest to a fixed depth, so that no file can send a reader round in circles; but any number of distances
// may lead to one place, so what is read altogether has a bound.
//
// Files have thousands of fields, so that all of a file's tables are read by one call: a face detector's in 0.9 ms, by Python in 2.2.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "bindings/messages.hpp"
#include "bindings/network.hpp"

namespace dwsep::python {
namespace {

using Place = std::int64_t;

constexpr Place kMostRead = 16;       // times the bytes of a file
constexpr Place kMostFields = 32765;  // that a vtable has
constexpr Place kTableBytes = 32;     // that a table counts, as it may be of a few bytes and becomes a tuple

[[noreturn]] void damaged(const std::string& what) {
  raise(py::module_::import("dwsep.errors").attr("InvalidModelError").ptr(), "the file is damaged: " + what);
}

/// `object` where it is as `fields` have it.
PyObject* checked(bool fits, PyObject* object) {
  if (!fits) reject(PyExc_TypeError, "fields", "tuples of numbers, kinds and defaults", py::repr(object));
  return object;
}
/// A number up to `most`.
Place small(PyObject* object, Place most) {
  const long number = PyLong_Check(object) != 0 ? PyLong_AsLong(object) : -1;
  PyErr_Clear();
  checked(number >= 0 && number <= most, object);
  return number;
}

[[noreturn]] void outside(Place place) { damaged("what byte " + std::to_string(place) + " says lies outside of it"); }

/// Lists of fields may contain themselves.
struct OneDeeper {
  OneDeeper() {
    if (Py_EnterRecursiveCall(" of fields") != 0) throw py::error_already_set();
  }
  ~OneDeeper() { Py_LeaveRecursiveCall(); }
  OneDeeper(const OneDeeper&) = delete;
  OneDeeper& operator=(const OneDeeper&) = delete;
};

class FlatBuffer {
 public:
  explicit FlatBuffer(const py::object& data) {
    if (PyObject_GetBuffer(data.ptr(), &view_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
    left_ = kMostRead * view_.len;
  }
  FlatBuffer(const FlatBuffer&) = delete;
  FlatBuffer& operator=(const FlatBuffer&) = delete;
  ~FlatBuffer() { PyBuffer_Release(&view_); }

  Place root() const { return ahead(0); }

  py::object row(Place table, PyObject* fields) {
    const OneDeeper deeper;
    const Place vtable = table - at<std::int32_t>(table);
    const Place end = at<std::uint16_t>(vtable);
    if (end < 4 || table + at<std::uint16_t>(vtable + 2) > view_.len) outside(table);
    charge(table, kTableBytes);
    const Py_ssize_t count = PyTuple_GET_SIZE(checked(PyTuple_Check(fields) != 0, fields));
    py::object values = made(PyTuple_New(count));
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* const field = PyTuple_GET_ITEM(fields, i);
      checked(PyTuple_Check(field) != 0 && PyTuple_GET_SIZE(field) == 3, field);
      const Place slot = 4 + 2 * small(PyTuple_GET_ITEM(field, 0), kMostFields);
      const Place offset = slot + 2 <= end ? at<std::uint16_t>(vtable + slot) : 0;
      PyObject* const one = value(offset == 0 ? 0 : table + offset, PyTuple_GET_ITEM(field, 1), PyTuple_GET_ITEM(field, 2)).release().ptr();
      PyTuple_SET_ITEM(values.ptr(), i, one);
    }
    return values;
  }

 private:
  template <class T>
  T at(Place place) const {
    if (place < 0 || place > view_.len - static_cast<Place>(sizeof(T))) outside(place);
    T value;
    std::memcpy(&value, static_cast<const char*>(view_.buf) + place, sizeof(T));
    return value;
  }

  Place ahead(Place place) const { return place + at<std::uint32_t>(place); }

  void charge(Place place, Place bytes) {
    left_ -= bytes;
    if (left_ < 0) damaged("byte " + std::to_string(place) + " is read too often");
  }

  /// Where a vector's first element is, and how many there are; `width` bytes of each are in the file, and count as read.
  std::pair<Place, Place> vector(Place place, Place width) {
    if (place == 0) return {0, 0};
    const Place head = ahead(place), count = at<std::uint32_t>(head);
    if (count * (width != 0 ? width : 1) > view_.len - head - 4) outside(head);
    charge(head, count * width);
    return {head + 4, count};
  }

  /// The value of a field at `place`, 0 for nowhere.
  py::object value(Place place, PyObject* kind, PyObject* otherwise) {
    if (PyTuple_Check(kind) != 0) return place == 0 ? py::reinterpret_borrow<py::object>(otherwise) : row(ahead(place), kind);
    if (PyList_Check(kind) != 0) {
      checked(PyList_GET_SIZE(kind) == 1, kind);
      const auto [first, count] = vector(place, 4);
      return all(first, count, [&](Place element) { return row(ahead(element), PyList_GET_ITEM(kind, 0)); });
    }
    const Py_UCS4 letter = PyUnicode_Check(kind) != 0 && PyUnicode_GetLength(kind) == 1 ? PyUnicode_ReadChar(kind, 0) : 0;
    switch (letter) {
      case 's': {
        const auto [first, count] = vector(place, 1);
        return made(PyUnicode_DecodeUTF8(static_cast<const char*>(view_.buf) + first, count, "replace"));
      }
      case '[': {
        const auto [first, count] = vector(place, 4);
        return all(first, count, [&](Place element) { return made(PyLong_FromLong(at<std::int32_t>(element))); });
      }
      case 'v': {
        const auto [first, count] = vector(place, small(otherwise, 255));
        return made(Py_BuildValue("LL", static_cast<long long>(first), static_cast<long long>(count)));
      }
      default:
        checked(letter != 0 && letter < 128 && std::strchr("tbB?iIQf", static_cast<int>(letter)) != nullptr, kind);
        return place == 0 ? py::reinterpret_borrow<py::object>(otherwise) : made(number(place, letter));
    }
  }

  /// A tuple of what `one` makes of the places of `count` elements of 4 bytes.
  template <class One>
  static py::object all(Place first, Place count, const One& one) {
    py::object values = made(PyTuple_New(count));
    for (Place i = 0; i < count; ++i) PyTuple_SET_ITEM(values.ptr(), i, one(first + 4 * i).release().ptr());
    return values;
  }

  PyObject* number(Place place, Py_UCS4 letter) const {
    switch (letter) {
      case 't':
        return PyLong_FromLongLong(ahead(place));
      case 'b':
        return PyLong_FromLong(at<std::int8_t>(place));
      case 'B':
        return PyLong_FromLong(at<std::uint8_t>(place));
      case '?':
        return PyBool_FromLong(at<std::uint8_t>(place));
      case 'i':
        return PyLong_FromLong(at<std::int32_t>(place));
      case 'I':
        return PyLong_FromLongLong(at<std::uint32_t>(place));
      case 'Q':
        return PyLong_FromUnsignedLongLong(at<std::uint64_t>(place));
      default:
        return PyFloat_FromDouble(static_cast<double>(at<float>(place)));
    }
  }

  static py::object made(PyObject* object) {
    if (object == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(object);
  }

  Py_buffer view_{};
  Place left_ = 0;
};

}  // namespace

void add_flat_buffer(py::module_& m) {
  py::class_<FlatBuffer>(m, "FlatBuffer")
      .def(py::init<const py::object&>(), py::arg("data"))
      .def("root", &FlatBuffer::root, "The place of the table that a file is.")
      .def(
          "row", [](FlatBuffer& file, Place table, const py::tuple& fields) { return file.row(table, fields.ptr()); }, py::arg("table"),
          py::arg("fields"), "The values of some fields of the table at a place.");
}

}  // namespace dwsep::python
