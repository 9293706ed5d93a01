// exp(x - max) / sum: no exponential overflows, and the largest value's is 1.
#pragma once

#include "kernels/reduce/fold.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// In double and rounded once, so that the bits do not hang on a processor's libm.
[[gnu::always_inline]] inline float log_of(float x) { return static_cast<float>(__builtin_log(static_cast<double>(x))); }

[[gnu::always_inline]] inline void softmax_row(const float* x, float* y, std::int64_t n, bool log) {
  const auto sum = [](Vec a, Vec b) { return add(a, b); };
  const float largest = fold_row(
      x, n, [](Vec a, Vec b) { return maximum(a, b); }, -__builtin_inff());
  const Vec m = broadcast(largest);
  const auto power = [&](Vec v) { return exp(sub(v, m)); };
  Sixteen acc = Sixteen::all(0.0F);
  std::int64_t i = 0;
  for (; i + kSixteen <= n; i += kSixteen) {
    const Sixteen e = apply(power, Sixteen::at(x + i));
    if (!log) e.store_to(y + i);
    acc = apply(sum, acc, e);
  }
  // What is behind the last value is -inf, whose exponential is 0.
  const Sixteen last = i < n ? apply(power, Sixteen::first(x + i, n - i, -__builtin_inff())) : Sixteen::all(0.0F);
  if (i < n) acc = apply(sum, acc, last);
  const float total = join(sum, acc);
  const Vec d = broadcast(total), log_total = broadcast(log ? log_of(total) : 0.0F);
  const auto finish = [&](Vec v) { return log ? sub(sub(v, m), log_total) : div(v, d); };
  const float* const from = log ? x : y;
  for (std::int64_t k = 0; k < i; k += kSixteen) apply(finish, Sixteen::at(from + k)).store_to(y + k);
  if (i < n) apply(finish, log ? Sixteen::first(x + i, n - i, 0.0F) : last).store_first_to(y + i, n - i);
}

[[gnu::flatten]] inline void softmax(const SoftmaxWork& w) {
  for (std::int64_t r = 0; r < w.rows; ++r) softmax_row(w.x + r * w.x_row, w.y + r * w.y_row, w.columns, w.log);
}

/// Each column by itself, a vector of them at a time, steps in order.
[[gnu::flatten]] inline void softmax_steps(const SoftmaxStepsWork& w) {
  for (std::int64_t c = 0; c < w.columns; c += kLanes) {
    const int lanes = w.columns - c < kLanes ? static_cast<int>(w.columns - c) : kLanes;
    const float* x = w.x + c;
    float* y = w.y + c;
    Vec m = broadcast(-__builtin_inff()), sum = broadcast(0.0F);
    for (std::int64_t i = 0; i < w.steps; ++i) m = maximum(m, load_up_to(x + i * w.x_step, lanes));
    for (std::int64_t i = 0; i < w.steps; ++i) {
      const Vec e = exp(sub(load_up_to(x + i * w.x_step, lanes), m));
      sum = add(sum, e);
      if (!w.log) store_up_to(y + i * w.y_step, e, lanes);
    }
    if (w.log) {
      float values[kLanes];
      store(values, sum);
      for (float& v : values) v = log_of(v);
      sum = load(values);
    }
    for (std::int64_t i = 0; i < w.steps; ++i) {
      float* to = y + i * w.y_step;
      const Vec v = w.log ? sub(sub(load_up_to(x + i * w.x_step, lanes), m), sum) : div(load_up_to(to, lanes), sum);
      store_up_to(to, v, lanes);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
