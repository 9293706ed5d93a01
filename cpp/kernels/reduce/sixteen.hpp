// Folds of adjacent values: value i goes to accumulator i % 16, whatever the width of a vector, and one tree joins the sixteen.
#pragma once

#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kSixteen = 16;

struct Sixteen {
  static constexpr int kVectors = kSixteen / kLanes;
  Vec v[kVectors];

  [[gnu::always_inline]] static inline Sixteen all(float value) {
    Sixteen s;
    unroll<0, kVectors>([&](auto i) { s.v[i] = broadcast(value); });
    return s;
  }
  [[gnu::always_inline]] static inline Sixteen at(const float* x) {
    Sixteen s;
    unroll<0, kVectors>([&](auto i) { s.v[i] = load(x + i * kLanes); });
    return s;
  }
  /// The first n < 16 values, `fill` behind them.
  [[gnu::always_inline]] static inline Sixteen first(const float* x, std::int64_t n, float fill) {
    float values[kSixteen];
    for (int i = 0; i < kSixteen; ++i) values[i] = i < n ? x[i] : fill;
    return at(values);
  }
  [[gnu::always_inline]] inline void store_to(float* y) const {
    unroll<0, kVectors>([&](auto i) { store(y + i * kLanes, v[i]); });
  }
  [[gnu::always_inline]] inline void store_first_to(float* y, std::int64_t n) const {
    float values[kSixteen];
    store_to(values);
    for (int i = 0; i < n; ++i) y[i] = values[i];
  }
};

template <class F>
[[gnu::always_inline]] inline Sixteen apply(const F& f, const Sixteen& a) {
  Sixteen s;
  unroll<0, Sixteen::kVectors>([&](auto i) { s.v[i] = f(a.v[i]); });
  return s;
}
template <class F>
[[gnu::always_inline]] inline Sixteen apply(const F& f, const Sixteen& a, const Sixteen& b) {
  Sixteen s;
  unroll<0, Sixteen::kVectors>([&](auto i) { s.v[i] = f(a.v[i], b.v[i]); });
  return s;
}

/// f over the sixteen as a tree: 8 apart, 4, 2, 1.
template <class F>
[[gnu::always_inline]] inline float join(const F& f, const Sixteen& s) {
  float values[kSixteen + kLanes] = {};
  s.store_to(values);
  for (int half = kSixteen / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i += kLanes) store(values + i, f(load(values + i), load(values + i + half)));
  }
  return values[0];
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
