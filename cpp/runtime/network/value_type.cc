#include "runtime/network/value_type.hpp"

#include <cmath>
#include <limits>

namespace dwsep::runtime {
namespace {

struct Limits {
  std::int64_t least, most;
};

template <class T>
constexpr Limits limits_of() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

void check_scales(const std::string& what, const Quantization& q, const Limits& zero, const Dims& shape) {
  if (q.scales.empty() || q.scales.size() != q.zero_points.size()) {
    reject(what, "as many zero points as scales", std::to_string(q.zero_points.size()) + " for " + std::to_string(q.scales.size()));
  }
  if (q.axis < -1 || q.axis >= shape.rank()) reject(what, "an axis of the array, or -1, for its scales", std::to_string(q.axis));
  const std::int64_t wanted = q.axis < 0 ? 1 : shape[q.axis];
  if (static_cast<std::int64_t>(q.scales.size()) != wanted) {
    reject(what, wanted < 0 ? "one scale where a call decides the size" : std::to_string(wanted) + " scales",
           std::to_string(q.scales.size()));
  }
  for (const float scale : q.scales) {
    if (!(scale > 0) || !std::isfinite(scale)) reject(what, "scales that are finite and positive", std::to_string(scale));
  }
  for (const std::int32_t z : q.zero_points) {
    if (z < zero.least || z > zero.most) {
      reject(what, "zero points from " + std::to_string(zero.least) + " to " + std::to_string(zero.most), std::to_string(z));
    }
  }
}

}  // namespace

void check_value_type(const std::string& what, const ValueType& type, const Dims& shape) {
  if (!is_dtype(static_cast<std::int64_t>(type.dtype))) reject(what, "a known type", "an unknown type");
  if (type.quantization == nullptr) return;
  switch (type.dtype) {
    case DType::int8:
      return check_scales(what, *type.quantization, limits_of<std::int8_t>(), shape);
    case DType::uint8:
      return check_scales(what, *type.quantization, limits_of<std::uint8_t>(), shape);
    case DType::int32:
      return check_scales(what, *type.quantization, limits_of<std::int32_t>(), shape);
    default:
      reject(what, std::string("no quantization for type ") + name_of(type.dtype), "a quantization");
  }
}

bool equal(const ValueType& a, const ValueType& b) {
  if (a.dtype != b.dtype) return false;
  if (a.quantization == nullptr || b.quantization == nullptr) return a.quantization == b.quantization;
  return *a.quantization == *b.quantization;
}

}  // namespace dwsep::runtime
