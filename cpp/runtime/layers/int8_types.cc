#include "runtime/layers/int8_types.hpp"

#include <cmath>

#include "runtime/layers/geometry.hpp"

namespace dwsep::runtime {
namespace {

void check_integer(DType dtype, const Quantization* quantization, const std::string& what) {
  if (dtype != DType::int8 && dtype != DType::uint8) reject(what, "type int8 or uint8", shown(dtype));
  if (quantization == nullptr) reject(what + " quantization", "one for type " + shown(dtype), "none");
}

}  // namespace

Affine checked_affine(DType dtype, const Quantization* quantization, const std::string& what, std::int64_t channels, Scales scales) {
  check_integer(dtype, quantization, what);
  const Quantization& q = *quantization;
  const auto count = static_cast<std::int64_t>(q.scales.size());
  const std::string name = what + " quantization";
  if (scales == Scales::one ? count != 1 : count != 1 && count != channels) {
    const std::string each = scales == Scales::one ? "" : " or " + std::to_string(channels) + ", one for each channel";
    reject(name, "1 scale" + each, std::to_string(count));
  }
  if (q.zero_points.size() != q.scales.size()) {
    reject(name, "as many zero points as scales, " + std::to_string(count), std::to_string(q.zero_points.size()));
  }
  const std::int32_t lowest = dtype == DType::uint8 ? 0 : -128;
  Affine a{dtype, q.scales, q.zero_points};
  for (const float s : a.scales) {
    if (!std::isfinite(s) || !(s > 0)) reject(name, "scales that are finite and positive", std::to_string(s));
  }
  for (std::int32_t& z : a.zeros) {
    if (z < lowest || z > lowest + 255) {
      reject(name, "zero points from " + std::to_string(lowest) + " to " + std::to_string(lowest + 255), std::to_string(z));
    }
    z -= lowest + 128;
  }
  return a;
}

Int8Tensors checked_tensors(const TensorTypes& types, std::int64_t in, std::int64_t out, Scales x_scales) {
  Int8Tensors t{checked_affine(types.x.dtype, types.x.quantization, "x", in, x_scales), {}, {}};
  if (types.y.dtype != DType::float32) t.y = checked_affine(types.y.dtype, types.y.quantization, "y", out, Scales::one_or_each);
  if (types.y.dtype == DType::float32 && types.y.quantization != nullptr) {
    reject("y", "no quantization for type float32", "a quantization");
  }
  if (types.table != nullptr) {
    if (!t.y) reject("y", "type int8 or uint8 with a table", shown(types.y.dtype));
    t.y = checked_affine(types.tabled.dtype, types.tabled.quantization, "tabled", out, Scales::one);
    t.y->dtype = types.y.dtype;
    t.table = types.table;
  }
  if (types.residual.dtype != DType::float32) {
    t.residual = checked_affine(types.residual.dtype, types.residual.quantization, "residual", out, Scales::one);
  }
  return t;
}

void check_float_types(const TensorTypes& types) {
  const auto check = [](const char* what, const TensorType& t) {
    if (t.dtype != DType::float32) reject(what, "type float32, as x has", shown(t.dtype));
    if (t.quantization != nullptr) reject(what, "no quantization for type float32", "a quantization");
  };
  check("x", types.x);
  check("y", types.y);
  check("residual", types.residual);
  check("expanded", types.expanded);
  check("depthwise", types.depthwise);
  check("tabled", types.tabled);
  if (types.table != nullptr) reject("table", "none for type float32", "one");
}

}  // namespace dwsep::runtime
