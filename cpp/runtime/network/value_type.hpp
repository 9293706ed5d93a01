// The type of a value's elements.
#pragma once

#include <memory>
#include <string>

#include "runtime/layers/geometry.hpp"
#include "runtime/network/array.hpp"

namespace dwsep::runtime {

struct ValueType {
  DType dtype = DType::float32;
  std::shared_ptr<const Quantization> quantization{};  ///< null: none

  std::int64_t bytes(const Dims& shape) const { return shape.count() * size_of(dtype); }
};

/// Throws std::invalid_argument unless the values of a network can have this type; `shape` may have -1 for sizes that the call decides.
void check_value_type(const std::string& what, const ValueType& type, const Dims& shape);

/// The type of values whose elements have been moved: scales along an axis would no longer lie along it.
inline ValueType moved(const ValueType& type) {
  return type.quantization != nullptr && type.quantization->axis >= 0 ? ValueType{type.dtype} : type;
}

bool equal(const ValueType& a, const ValueType& b);

}  // namespace dwsep::runtime
