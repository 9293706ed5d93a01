// exp(x - max) / sum: no exponential overflows, and that of the largest value is 1. Compared with it, values below 1e-38 are 0.
#pragma once

#include "kernels/reduce/reduce.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// In double and rounded once, so that the bits do not depend on the libm.
[[gnu::always_inline]] inline float log_of(float x) { return static_cast<float>(__builtin_log(static_cast<double>(x))); }

template <bool Log>
[[gnu::always_inline]] inline void softmax_row(const float* x, float* y, std::int64_t n) {
  const auto sum = [](F32 a, F32 b) { return add(a, b); };
  const F32 below = broadcast(-__builtin_inff());
  const F32 m = reduce_row(
      x, n, [](F32 a, F32 b) { return maximum(a, b); }, -__builtin_inff());
  const auto power = [&](F32 v) { return exp_or_zero(sub(v, m)); };
  const std::int64_t whole = n / kAccumulators * kAccumulators;
  const int rest = static_cast<int>(n - whole);
  SixteenAccumulators acc = SixteenAccumulators::all(0.0F);
  for (std::int64_t i = 0; i < whole; i += kAccumulators) {
    const SixteenAccumulators e = apply(power, SixteenAccumulators::at(x + i));
    if (!Log) e.store_to(y + i);
    acc = apply(sum, acc, e);
  }
  // Lanes after the last value are -inf, whose exponential is 0; unless all is NaN.
  const SixteenAccumulators last = rest > 0 ? SixteenAccumulators::first(x + whole, rest, below) : SixteenAccumulators::all(0.0F);
  const SixteenAccumulators last_power = apply(power, last);
  if (rest > 0) acc = apply(sum, acc, last_power);
  const F32 total = join(sum, acc);
  const F32 log_total = broadcast(Log ? log_of(first_lane(total)) : 0.0F);
  const auto finish = [&](F32 v) { return Log ? sub(sub(v, m), log_total) : div(v, total); };
  const float* const from = Log ? x : y;
  for (std::int64_t i = 0; i < whole; i += kAccumulators) apply(finish, SixteenAccumulators::at(from + i)).store_to(y + i);
  if (rest > 0) apply(finish, Log ? last : last_power).store_first_to(y + whole, rest);
}

[[gnu::flatten]] inline void softmax(const SoftmaxWork& w) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const float* x = w.x + r * w.x_row;
    float* y = w.y + r * w.y_row;
    w.log ? softmax_row<true>(x, y, w.columns) : softmax_row<false>(x, y, w.columns);
  }
}

/// Each column on its own, a vector of columns at a time, steps in order.
[[gnu::flatten]] inline void softmax_steps(const SoftmaxStepsWork& w) {
  for (std::int64_t c = 0; c < w.columns; c += kLanes) {
    const int lanes = w.columns - c < kLanes ? static_cast<int>(w.columns - c) : kLanes;
    const float* x = w.x + c;
    float* y = w.y + c;
    F32 m = broadcast(-__builtin_inff()), sum = broadcast(0.0F);
    for (std::int64_t i = 0; i < w.steps; ++i) m = maximum(m, load_up_to(x + i * w.x_step, lanes));
    for (std::int64_t i = 0; i < w.steps; ++i) {
      const F32 e = exp_or_zero(sub(load_up_to(x + i * w.x_step, lanes), m));
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
      const F32 v = w.log ? sub(sub(load_up_to(x + i * w.x_step, lanes), m), sum) : div(load_up_to(to, lanes), sum);
      store_up_to(to, v, lanes);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
