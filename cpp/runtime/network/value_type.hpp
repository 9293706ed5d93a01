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

/// Throws std::invalid_argument unless networks can compute with values of this type.
inline void check_type(const std::string& what, const ValueType& type) { check_type(what, type.dtype, type.quantization.get()); }

}  // namespace dwsep::runtime
