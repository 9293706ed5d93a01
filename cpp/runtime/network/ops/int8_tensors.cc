#include "runtime/network/ops/int8_tensors.hpp"

#include <cmath>

#include "runtime/layers/int8_scales.hpp"

namespace dwsep::runtime {

bool computes_int8(const Description& d) {
  if (d.reads_quantized()) return true;
  if (d.has("to")) d.reject("to", "none unless input 0 is int8 or uint8 with a quantization", "one");
  return false;
}

Int8Tensor int8_tensor(const Description& d, const ValueType& type, const std::string& what) {
  if (type.dtype != DType::int8 && type.dtype != DType::uint8) d.reject(what, "type int8 or uint8, as input 0", name_of(type.dtype));
  const Quantization* const q = type.quantization.get();
  if (q == nullptr || q->axis >= 0) d.reject(what, "one scale and zero point", q == nullptr ? "none" : "those of an axis");
  const bool is_unsigned = type.dtype == DType::uint8;
  return {q->scales[0], q->zero_points[0] - (is_unsigned ? 128 : 0), static_cast<std::uint8_t>(is_unsigned ? 0x80 : 0)};
}

Int8Tensor int8_input(const Description& d, std::size_t i) {
  return int8_tensor(d, i < d.inputs.size() ? d.inputs[i] : ValueType{}, "input " + std::to_string(i));
}

Int8Output::Int8Output(const Description& d) : type(d.quantized_output(Scales::one)), tensor{1.0F, 0, 0}, lo(-128), hi(127) {
  const Activation a = d.activation();
  if (a.kind != ActivationKind::clip) d.reject("activation", "one that is a clip where inputs are integers", "another");
  real_lo = a.lo;
  real_hi = a.hi;
  if (real()) return;
  tensor = int8_tensor(d, type, "scale");
  lo = int8_bound(a.lo, tensor.scale, tensor.zero);
  hi = int8_bound(a.hi, tensor.scale, tensor.zero);
}

float checked_scale(const Description& d, float scale) {
  if (!(scale > 0) || !std::isfinite(scale))
    d.reject("scale", "one that float32 holds the quotient of the inputs' by", std::to_string(scale));
  return scale;
}

bool rounds_zero_first(const Description& d, const Int8Output& y) {
  const bool asked = d.has("zero_first") && d.flag("zero_first");
  if (asked && y.real()) d.reject("zero_first", "0 where the result is not quantized", "1");
  return asked;
}

void set_mean(const Description& d, const Int8Output& y, Int8PoolWork* w) {
  const Int8Tensor x = int8_input(d, 0);
  w->scale = checked_scale(d, x.scale / y.tensor.scale);
  if (rounds_zero_first(d, y)) {
    w->scale = x.scale;
    w->per = y.tensor.scale;
  }
  w->x_zero = x.zero;
  w->x_flip = x.flip;
  w->real = y.real();
  w->zero = y.tensor.zero;
  w->lo = y.lo;
  w->hi = y.hi;
  w->real_lo = y.real_lo;
  w->real_hi = y.real_hi;
  w->y_flip = y.tensor.flip;
}

}  // namespace dwsep::runtime
