// exp(x - max) / sum: no exponential overflows, and that of the largest value is 1. Compared with it, values below 1e-38 are 0.
#pragma once

#include "kernels/reduce/reduce.hpp"
#include "simd/square.hpp"

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

/// A call, which costs eight rows little: six copies of it are 1 KB.
[[gnu::noinline]] inline void turn_rows(float* rows) {
  F32 v[kLanes];
  unroll<0, kLanes>([&](auto i) { v[i] = load(rows + i * kLanes); });
  transpose_lanes(v);
  unroll<0, kLanes>([&](auto i) { store(rows + i * kLanes, v[i]); });
}

/// Eight rows of a vector, each joined as join() does: one in each lane.
template <class F>
[[gnu::always_inline]] inline F32 join_rows(const F& f, float* rows) {
  turn_rows(rows);
  const auto pair = [&](int i) { return f(load(rows + i * kLanes), load(rows + (i + kLanes / 2) * kLanes)); };
  return f(f(pair(0), pair(2)), f(pair(1), pair(3)));
}

/// The two halves of sixteen accumulators joined: of f(acc, i, lanes that exist) for each vector of a row of n, which alternate.
template <class Join, class F>
[[gnu::always_inline]] inline F32 accumulate(std::int64_t n, float start, const Join& join_halves, const F& f) {
  F32 next = broadcast(start), other = next;
  const auto step = [&](std::int64_t i, int lanes) {
    const F32 sum = f(next, i, lanes);
    next = other;
    other = sum;
  };
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) step(i, kLanes);
  if (i < n) step(i, static_cast<int>(n - i));
  return (n + kLanes - 1) / kLanes % 2 == 0 ? join_halves(next, other) : join_halves(other, next);
}

/// The extremes of eight rows, then their exponentials, next to the divisions of eight before, then sums: what is joined within vectors
/// would wait for 45 cycles in each row, and a division takes a port alone for six. us of 40,000 values before / so (AMD EPYC, Zen 3, AVX2,
/// 2026-11-29): rows of 21 71 / 46, of 49 47 / 33, of 100 34 / 25, of 256 28 / 23, of 1,000 25 / 22.
[[gnu::always_inline]] inline void softmax_together(const SoftmaxWork& w) {
  const F32 below = broadcast(-__builtin_inff());
  const auto maximum_of = [](F32 a, F32 b) { return maximum(a, b); };
  const auto sum_of = [](F32 a, F32 b) { return add(a, b); };
  const auto load_part = [&](const float* x, int lanes) {
    const F32 v = load_up_to(x, lanes);
    return lanes == kLanes ? v : select_less(load(kLaneNumbers), broadcast(static_cast<float>(lanes)), v, below);
  };
  float joined[kLanes * kLanes] = {}, maxima[kLanes], totals[kLanes];
  const std::int64_t together = w.columns <= 1024 ? kLanes : 1;  // of longer rows eight and those before leave the level-2 cache
  std::int64_t before = 0;                                       // rows that wait for their division
  for (std::int64_t first = 0, rows; first < w.rows || before > 0; first += rows) {
    rows = w.rows - first < together ? w.rows - first : together;
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* const x = w.x + (first + r) * w.x_row;
      store(joined + r * kLanes, accumulate(w.columns, -__builtin_inff(), maximum_of,
                                            [&](F32 acc, std::int64_t i, int lanes) { return maximum_of(acc, load_part(x + i, lanes)); }));
    }
    store(maxima, join_rows(maximum_of, joined));
    for (std::int64_t r = rows; r < before; ++r) {
      float* const y = w.y + (first - before + r) * w.y_row;
      for (std::int64_t i = 0; i < w.columns; i += kLanes) {
        const int lanes = w.columns - i < kLanes ? static_cast<int>(w.columns - i) : kLanes;
        store_up_to(y + i, div(load_up_to(y + i, lanes), broadcast(totals[r])), lanes);
      }
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* const x = w.x + (first + r) * w.x_row;
      float* const y = w.y + (first + r) * w.y_row;
      float* const other = before > 0 ? y - before * w.y_row : y;  // y itself is overwritten,
      const float* const waits = before > 0 ? other : x;           // and has no values yet
      const F32 m = broadcast(maxima[r]), total = broadcast(before > 0 ? totals[r] : 1.0F);
      store(joined + r * kLanes, accumulate(w.columns, 0.0F, sum_of, [&](F32 acc, std::int64_t i, int lanes) {
              const F32 e = exp_or_zero(sub(load_part(x + i, lanes), m));
              store_up_to(other + i, div(load_up_to(waits + i, lanes), total), lanes);
              store_up_to(y + i, e, lanes);
              return add(acc, e);
            }));
    }
    before = rows;
    store(totals, join_rows(sum_of, joined));
  }
}

/// Rows of up to V vectors, without branches; vectors are whole where behind a row is its next one, written later. Rows of 5 216 / 82, of 8
/// 113 / 48, of 10 115 / 69, of 16 76 / 44.
template <int V>
[[gnu::always_inline]] inline void softmax_short(const SoftmaxWork& w) {
  constexpr int kRow = V * kLanes;
  const int last = static_cast<int>(w.columns - (V - 1) * kLanes);
  const F32 below = broadcast(-__builtin_inff()), lanes = broadcast(static_cast<float>(last));
  const auto maximum_of = [](F32 a, F32 b) { return maximum(a, b); };
  const auto sum_of = [](F32 a, F32 b) { return add(a, b); };
  float v[kLanes * kRow], joined[kLanes * kLanes] = {}, maxima[kLanes], totals[kLanes];
  const auto join_halves = [&](const auto& f, int r) {
    const F32 half = load(v + r * kRow);
    store(joined + r * kLanes, V == 2 ? f(half, load(v + (r + 1) * kRow - kLanes)) : half);
  };
  for (std::int64_t first = 0; first < w.rows; first += kLanes) {
    const int rows = w.rows - first < kLanes ? static_cast<int>(w.rows - first) : kLanes;
    for (int r = 0; r < rows; ++r) {
      const float* const x = w.x + (first + r) * w.x_row;
      if (V == 2) store(v + r * kRow, load(x));
      store(v + (r + 1) * kRow - kLanes, select_less(load(kLaneNumbers), lanes, load_first(x + kRow - kLanes, last), below));
      join_halves(maximum_of, r);
    }
    store(maxima, join_rows(maximum_of, joined));
    for (int r = 0; r < rows; ++r) {
      unroll<0, V>([&](auto j) {
        float* const at = v + r * kRow + j * kLanes;
        store(at, exp_or_zero(sub(load(at), broadcast(maxima[r]))));
      });
      join_halves(sum_of, r);
    }
    store(totals, join_rows(sum_of, joined));
    for (int r = 0; r < rows; ++r) {
      float* const y = w.y + (first + r) * w.y_row;
      const bool whole = w.y_row == w.columns && (w.rows - 1 - first - r) * w.columns >= kLanes;
      unroll<0, V>([&](auto j) {
        const F32 q = div(load(v + r * kRow + j * kLanes), broadcast(totals[r]));
        store_up_to(y + j * kLanes, q, whole || j + 1 < V ? kLanes : last);
      });
    }
  }
}

[[gnu::flatten]] inline void softmax(const SoftmaxWork& w) {
  if constexpr (SixteenAccumulators::kVectors == 2) {
    if (!w.log) return w.columns <= kLanes ? softmax_short<1>(w) : w.columns <= 2 * kLanes ? softmax_short<2>(w) : softmax_together(w);
  }
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const float* x = w.x + r * w.x_row;
    float* y = w.y + r * w.y_row;
    // Where kVectors is 2, the other has been asked above, and is not compiled once more.
    SixteenAccumulators::kVectors == 2 || w.log ? softmax_row<true>(x, y, w.columns) : softmax_row<false>(x, y, w.columns);
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
