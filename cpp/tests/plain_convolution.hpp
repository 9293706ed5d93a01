// A chain of convolutions in scalar loops, in double: what test_operators.cc compares the operators with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

#include "dwsep/dwsep.hpp"

namespace dwsep::test {

using Int = std::int64_t;

constexpr float kUntouched = -12345.0F;

inline std::size_t index(Int i) { return static_cast<std::size_t>(i); }

struct Random {
  std::mt19937_64 engine;
  Int operator()(Int least, Int most) { return std::uniform_int_distribution<Int>(least, most)(engine); }
  Int of(std::initializer_list<Int> values) { return *(values.begin() + (*this)(0, static_cast<Int>(values.size()) - 1)); }
  std::vector<float> integers(Int count, Int most) {
    std::vector<float> v(index(count));
    for (float& x : v) x = static_cast<float>((*this)(-most, most));
    return v;
  }
};

/// A tensor in memory of exactly its size: gaps between pixels, rows and images, axes reversed.
struct Array {
  std::vector<float> memory;
  Tensor t;

  Array(Random& random, const Shape& s) {
    const bool gaps = random(0, 1) == 1;
    const auto gap = [&] { return gaps ? random.of({0, 0, 1, 3, 16, 50}) : 0; };
    const Int pixel = s.c + gap(), row = s.w * pixel + gap(), image = s.h * row + gap();
    t = {nullptr, s, image, row, pixel};
    Int first = random.of({0, 0, 1, 5}), floats = first + s.c;
    for (const auto& [stride, size] : {std::pair<Int*, Int>{&t.stride_w, s.w}, {&t.stride_h, s.h}, {&t.stride_n, s.n}}) {
      const Int reach = s.empty() ? 0 : *stride * (size - 1);
      floats += reach;
      if (!gaps || random(0, 4) > 0) continue;
      first += reach;
      *stride = -*stride;
    }
    memory.assign(index(floats), kUntouched);
    t.data = memory.data() + first;
  }
  float& at(Int n, Int h, Int w, Int c) { return t.as<float>()[n * t.stride_n + h * t.stride_h + w * t.stride_w + c]; }
};

template <class F>
void for_each(const Shape& s, const F& f) {
  for (Int n = 0; n < s.n; ++n)
    for (Int h = 0; h < s.h; ++h)
      for (Int w = 0; w < s.w; ++w)
        for (Int c = 0; c < s.c; ++c) f(n, h, w, c);
}

struct Values {
  Shape s;
  std::vector<double> v;
  explicit Values(const Shape& shape) : s(shape), v(index(s.n * s.h * s.w * s.c)) {}
  double& at(Int n, Int h, Int w, Int c) { return v[index(((n * s.h + h) * s.w + w) * s.c + c)]; }
};

inline double activated(const Activation& a, double x) {
  switch (a.kind) {
    case ActivationKind::clip:
      return std::min<double>(std::max<double>(x, a.lo), a.hi);
    case ActivationKind::leaky_relu:
      return x < 0 ? a.lo * x : x;
    case ActivationKind::hard_swish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case ActivationKind::hard_sigmoid:
      return std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::silu:
      return x / (1 + std::exp(-x));
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::gelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
  }
  return 0;
}

/// One convolution of a chain. Weights (kh, kw, in / groups, out) are those of a depthwise one too, with groups = in.
struct Stage {
  Int kh = 1, kw = 1, in, out, groups = 1;
  ConvOptions o;
  Activation activation;
  std::vector<float> weights, bias;

  const float* bias_or_null() const { return bias.empty() ? nullptr : bias.data(); }
  double work() const {
    const std::int64_t each = in / groups;  // of a filter's channels
    return static_cast<double>(kh * kw * each * out);
  }

  /// Padding before and size of the output of one axis; a size of 0 or less where the filter does not fit.
  std::pair<Int, Int> axis(Int size, Int taps, Int stride, Int dilation, Int before, Int after) const {
    const Int extent = (taps - 1) * dilation + 1;
    if (o.padding.mode == Padding::Mode::valid) before = after = 0;
    if (o.padding.mode == Padding::Mode::valid || o.padding.mode == Padding::Mode::explicit_) {
      const Int room = size + before + after - extent;
      return {before, room < 0 ? -1 : room / stride + 1};
    }
    const Int out_size = (size + stride - 1) / stride, total = std::max<Int>((out_size - 1) * stride + extent - size, 0);
    return {o.padding.mode == Padding::Mode::same ? total / 2 : total - total / 2, out_size};
  }
  std::pair<Int, Int> rows(Int h) const { return axis(h, kh, o.stride_h, o.dilation_h, o.padding.top, o.padding.bottom); }
  std::pair<Int, Int> columns(Int w) const { return axis(w, kw, o.stride_w, o.dilation_w, o.padding.left, o.padding.right); }
  Shape output(const Shape& x) const { return {x.n, rows(x.h).second, columns(x.w).second, out}; }

  Values operator()(Values& x, Array* residual) const {
    Values y(output(x.s));
    const Int top = rows(x.s.h).first, left = columns(x.s.w).first, depth = in / groups;
    for_each(y.s, [&](Int n, Int h, Int w, Int c) {
      double sum = bias.empty() ? 0.0 : bias[index(c)];
      for (Int p = 0; p < kh; ++p) {
        for (Int q = 0; q < kw; ++q) {
          const Int r = h * o.stride_h - top + p * o.dilation_h, s = w * o.stride_w - left + q * o.dilation_w;
          if (r < 0 || r >= x.s.h || s < 0 || s >= x.s.w) continue;
          for (Int i = 0; i < depth; ++i) {
            sum += x.at(n, r, s, c / (out / groups) * depth + i) * weights[index(((p * kw + q) * depth + i) * out + c)];
          }
        }
      }
      y.at(n, h, w, c) = activated(activation, residual == nullptr ? sum : sum + residual->at(n, h, w, c));
    });
    return y;
  }
};

}  // namespace dwsep::test
