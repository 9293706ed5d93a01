// Exact numbers in float64 with the error bound of a float32 result (Higham, "Accuracy and Stability of Numerical Algorithms",
// section 3.1: a sum of K products errs by gamma_K = K u / (1 - K u) times the sum of their sizes at most).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "dwsep/layers.hpp"

namespace dwsep::test {

/// The unit roundoff of float32.
constexpr double kU = 0x1p-24;

/// An exact number and the error bound of the float32 one.
struct Bounded {
  double value = 0, error = 0;
};

/// A dot product of `count` terms: gamma_K sum |x||w| of what was computed, and what its inputs' errors amount to.
struct Dot {
  double sum = 0, size = 0, inherited = 0;
  std::int64_t count = 1;
  explicit Dot(double start) : sum(start), size(std::abs(start)) {}
  void add(const Bounded& x, double w) {
    sum += x.value * w;
    size += (std::abs(x.value) + x.error) * std::abs(w);
    inherited += x.error * std::abs(w);
    ++count;
  }
  Bounded result() const {
    const double k = static_cast<double>(count + 1);  // one more for the residual
    return {sum, inherited + k * kU / (1 - k * kU) * size};
  }
};

inline double hard_sigmoid(double x) { return std::clamp(x / 6 + 0.5, 0.0, 1.0); }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The slope of each function bounds what becomes of the error; then its own, within 4 ulp of what it returns or, for the hard ones, of x.
inline Bounded activate(const Activation& a, Bounded x) {
  const double v = x.value, big = std::abs(v) + x.error;
  switch (a.kind) {
    case ActivationKind::hard_swish:
      return {v * hard_sigmoid(v), 1.5 * x.error + 8 * kU * big};
    case ActivationKind::hard_sigmoid:
      return {hard_sigmoid(v), x.error / 6 + 4 * kU};
    case ActivationKind::sigmoid:
      return {sigmoid(v), x.error / 4 + 8 * kU};
    case ActivationKind::silu:
      return {v * sigmoid(v), 1.1 * x.error + 12 * kU * big};
    default:
      return {std::clamp<double>(v, a.lo, a.hi), x.error};
  }
}

/// y[pixel] = activation(x[pixel] w + bias)
inline std::vector<Bounded> exact_pointwise(const std::vector<Bounded>& x, std::int64_t pixels, const PointwiseFilter& f,
                                            const Activation& a, const float* residual = nullptr) {
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  const auto *const weights = static_cast<const float*>(f.weight), *const bias = static_cast<const float*>(f.bias);
  std::vector<Bounded> y;
  std::vector<Dot> row;
  for (std::int64_t p = 0; p < pixels; ++p) {
    row.clear();
    for (std::int64_t o = 0; o < f.out; ++o) row.emplace_back(bias[o]);
    for (std::int64_t i = 0; i < f.in; ++i) {
      for (std::int64_t o = 0; o < f.out; ++o) row[at(o)].add(x[at(p * f.in + i)], weights[i * f.out + o]);
    }
    for (std::int64_t o = 0; o < f.out; ++o) {
      if (residual != nullptr) row[at(o)].add({residual[p * f.out + o], 0}, 1);
      y.push_back(activate(a, row[at(o)].result()));
    }
  }
  return y;
}

}  // namespace dwsep::test
