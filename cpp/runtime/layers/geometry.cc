#include "runtime/layers/geometry.hpp"

#include <algorithm>
#include <cmath>

namespace dwsep::runtime {
namespace {

void check_range(const char* what, std::int64_t value, std::int64_t least) {
  if (value < least || value > kMaxPixels) {
    reject(what, "a value between " + std::to_string(least) + " and 2^31", std::to_string(value));
  }
}

struct Axis {
  std::int64_t before, out;
};

/// A division takes 10 to 40 cycles, and nearly all strides are 1 or 2.
inline std::int64_t by_stride(std::int64_t a, std::int64_t stride) { return stride == 1 ? a : stride == 2 ? a >> 1 : a / stride; }

Axis resolve_axis(const char* name, Padding::Mode mode, std::int64_t before, std::int64_t after, std::int64_t size, std::int64_t taps,
                  std::int64_t stride, std::int64_t dilation) {
  const std::int64_t extent = (taps - 1) * dilation + 1;
  if (mode == Padding::Mode::same || mode == Padding::Mode::same_lower) {
    const std::int64_t out = by_stride(size + stride - 1, stride);
    const std::int64_t total = std::max<std::int64_t>((out - 1) * stride + extent - size, 0);
    return {mode == Padding::Mode::same ? total / 2 : total - total / 2, out};
  }
  if (mode == Padding::Mode::valid) before = after = 0;
  const std::int64_t padded = size + before + after;
  if (padded < extent) {
    reject("x", std::string("a padded ") + name + " of at least " + std::to_string(extent) + ", the filter's", std::to_string(padded));
  }
  return {before, by_stride(padded - extent, stride) + 1};
}

}  // namespace

std::string to_string(const Shape& s) {
  return "(" + std::to_string(s.n) + ", " + std::to_string(s.h) + ", " + std::to_string(s.w) + ", " + std::to_string(s.c) + ")";
}

std::string shown(DType type) { return is_dtype(static_cast<int>(type)) ? name_of(type) : "an unknown type"; }

void check_type(const std::string& what, DType dtype, const Quantization* quantization) {
  if (dtype != DType::float32) reject(what, "type float32", shown(dtype));
  if (quantization != nullptr) reject(what, "no quantization for type float32", "a quantization");
}

void check_channels(const char* what, std::int64_t wanted, std::int64_t got) {
  if (wanted != got) reject(what, std::to_string(wanted) + " channels", std::to_string(got));
}

void check_activation(const Activation& a) {
  if (static_cast<int>(a.kind) < 0 || static_cast<int>(a.kind) >= kActivationCount) {
    reject("activation", "a known kind", std::to_string(static_cast<int>(a.kind)));
  }
  if (a.kind == ActivationKind::clip && !(a.lo <= a.hi)) {
    reject("activation", "clip bounds lo <= hi", std::to_string(a.lo) + " and " + std::to_string(a.hi));
  }
  if (a.kind == ActivationKind::leaky_relu && !std::isfinite(a.lo)) reject("activation", "a finite slope", std::to_string(a.lo));
}

void check_options(const ConvOptions& o, std::int64_t kh, std::int64_t kw) {
  check_range("filter height", kh, 1);
  check_range("filter width", kw, 1);
  check_range("stride", o.stride_h, 1);
  check_range("stride", o.stride_w, 1);
  check_range("dilation", o.dilation_h, 1);
  check_range("dilation", o.dilation_w, 1);
  if (o.padding.mode < Padding::Mode::explicit_ || o.padding.mode > Padding::Mode::valid) {
    reject("padding", "a known mode", std::to_string(static_cast<int>(o.padding.mode)));
  }
  for (const std::int64_t p : {o.padding.top, o.padding.bottom, o.padding.left, o.padding.right}) check_range("padding", p, 0);
}

Geometry resolve(const ConvOptions& o, std::int64_t kh, std::int64_t kw, const Shape& x) {
  const Padding& p = o.padding;
  const Axis h = resolve_axis("height", p.mode, p.top, p.bottom, x.h, kh, o.stride_h, o.dilation_h);
  const Axis w = resolve_axis("width", p.mode, p.left, p.right, x.w, kw, o.stride_w, o.dilation_w);
  return {kh, kw, o.stride_h, o.stride_w, o.dilation_h, o.dilation_w, h.before, w.before, h.out, w.out};
}

}  // namespace dwsep::runtime
