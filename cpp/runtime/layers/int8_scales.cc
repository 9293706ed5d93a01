#include "runtime/layers/int8_scales.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "runtime/layers/geometry.hpp"

namespace dwsep::runtime {
namespace {

constexpr std::int64_t kLargestSum = std::numeric_limits<std::int32_t>::max();

/// Scales and their products are small: std::to_string has six digits behind the point.
std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", v);
  return text;
}

void copy_weights(const Int8Filter& f, Int8Scales& s) {
  const auto* const from = static_cast<const std::uint8_t*>(f.weight) + f.first;
  const std::uint8_t flip = Affine::flip_of(f.dtype);
  s.weights.resize(static_cast<std::size_t>(f.k * f.columns));
  for (std::int64_t k = 0; k < f.k; ++k) {
    if (flip == 0) {  // a transform takes 1 ns a byte where code is small, a tenth of the time that a network of int8 takes to load
      std::copy_n(reinterpret_cast<const std::int8_t*>(from + k * f.row), f.columns, s.weights.begin() + k * f.columns);
      continue;
    }
    std::transform(from + k * f.row, from + k * f.row + f.columns, s.weights.begin() + k * f.columns,
                   [flip](std::uint8_t v) { return static_cast<std::int8_t>(v ^ flip); });
  }
}

std::int32_t quantized_bias(const Int8Filter& f, std::int64_t column, float unit) {
  if (f.bias == nullptr) return 0;
  if (f.bias_dtype == DType::int32) return static_cast<const std::int32_t*>(f.bias)[column];
  const double steps = std::nearbyint(static_cast<double>(static_cast<const float*>(f.bias)[column]) / static_cast<double>(unit));
  if (!(std::abs(steps) <= static_cast<double>(kLargestSum))) {
    reject(f.name + "'s bias", "values that int32 holds in units of " + number(unit), number(steps) + " of them");
  }
  return static_cast<std::int32_t>(steps);
}

/// The largest sum of column c that any input could give.
void check_sum(const Int8Filter& f, const Int8Scales& s, std::int64_t c, std::int32_t x_zero) {
  const std::int64_t farthest = std::max(128 + x_zero, 127 - x_zero);
  const std::int32_t zero = s.weight_zeros.empty() ? 0 : s.weight_zeros[static_cast<std::size_t>(c)];
  std::int64_t sum = std::abs(std::int64_t{s.bias[static_cast<std::size_t>(c)]});
  // No weight is farther than 255 from its zero. Reading a column of each took a quarter of the time that a network of int8 takes to load.
  if (f.k <= (kLargestSum - sum) / (255 * farthest)) return;
  for (std::int64_t k = 0; k < f.k; ++k) sum += farthest * std::abs(s.weights[static_cast<std::size_t>(k * f.columns + c)] - zero);
  if (sum > kLargestSum) {
    reject(f.name, "sums of at most 2^31 - 1 whatever x holds", std::to_string(sum) + " for output channel " + std::to_string(f.first + c));
  }
}

}  // namespace

std::int32_t int8_bound(float real, float scale, std::int32_t zero) {
  const double steps = std::nearbyint(static_cast<double>(real / scale)) + zero;  // half to even
  return static_cast<std::int32_t>(std::clamp(steps, -128.0, 127.0));
}

Int8Scales int8_scales(const Int8Filter& f, const Int8Tensors& t, const Activation& a) {
  const bool clips = a.kind == ActivationKind::clip, real = !t.y || !clips;
  const Affine w = checked_affine(f.dtype, f.quantization, f.name, f.row, Scales::one_or_each);
  if (f.bias != nullptr && f.bias_dtype != DType::int32 && f.bias_dtype != DType::float32) {
    reject(f.name + "'s bias", "type int32 or float32", shown(f.bias_dtype));
  }
  if (t.y && t.y->per_channel() && t.residual) reject("residual", "none where y has a scale for each channel", "one");
  Int8Scales s;
  copy_weights(f, s);
  s.x_zeros.resize(static_cast<std::size_t>(f.k_channels()));
  for (std::int64_t c = 0; c < f.k_channels(); ++c) s.x_zeros[static_cast<std::size_t>(c)] = t.x.zero(c);
  if (std::any_of(w.zeros.begin(), w.zeros.end(), [](std::int32_t z) { return z != 0; })) {
    for (std::int64_t c = 0; c < f.columns; ++c) s.weight_zeros.push_back(w.zero(f.first + c));
  }
  for (std::int64_t c = 0; c < f.columns; ++c) {
    const std::int64_t in = f.family == Family::depthwise ? c / f.multiplier : 0, out = f.first + c;
    const float unit = t.x.scale(in) * w.scale(out);
    if (!std::isfinite(unit) || !(unit > 0)) {
      reject(f.name + " quantization", "scales whose product with that of x float32 holds",
             number(w.scale(out)) + " * " + number(t.x.scale(in)));
    }
    const float m = real ? unit : unit / t.y->scale(out);
    if (!std::isfinite(m)) reject("y quantization", "scales that the products of x and w can be divided by", number(t.y->scale(out)));
    s.multipliers.push_back(m);
    s.bias.push_back(quantized_bias(f, out, unit));
    check_sum(f, s, c, t.x.zero(in));
  }
  for (std::int64_t c = 0; t.y && c < (t.y->per_channel() ? f.columns : 1); ++c) {
    const float scale = t.y->scale(f.first + c);
    const std::int32_t zero = t.y->zero(f.first + c);
    s.ranges.push_back(clips ? Int8Range{zero, int8_bound(a.lo, scale, zero), int8_bound(a.hi, scale, zero)} : Int8Range{zero, -128, 127});
  }
  if (t.residual) {
    const float scale = real ? t.residual->scale(0) : t.residual->scale(0) / t.y->scale(0);
    if (!std::isfinite(scale)) reject("y quantization", "a scale that the residual's can be divided by", number(t.y->scale(0)));
    s.residual.scale = scale;
    s.residual.zero = t.residual->zero(0);
    s.residual.flip = t.residual->flip();
  }
  return s;
}

}  // namespace dwsep::runtime
