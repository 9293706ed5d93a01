// Sums and extremes along one axis. Columns are reduced each by itself, steps in order; along the last axis as sixteen_accumulators.hpp
// says.
#pragma once

#include "kernels/reduce/sixteen_accumulators.hpp"
#include "kernels/tensor_work.hpp"
#include "simd/square.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Calls f with the function on vectors and its neutral element.
template <class F>
[[gnu::always_inline]] inline void with_function(ReduceFunction function, const F& f) {
  switch (function) {
    case ReduceFunction::sum:
      return f([](F32 a, F32 b) { return add(a, b); }, 0.0F);
    case ReduceFunction::max:
      return f([](F32 a, F32 b) { return maximum(a, b); }, -__builtin_inff());
    case ReduceFunction::min:
      return f([](F32 a, F32 b) { return minimum(a, b); }, __builtin_inff());
  }
}

/// `Rows` rows of `Vectors` vectors of columns, each an independent chain.
template <int Rows, int Vectors, class F>
[[gnu::always_inline]] inline void reduce_block(const ReduceWork& w, std::int64_t row, std::int64_t column, const F& f, float start) {
  const std::int64_t left = w.columns - column - (Vectors - 1) * kLanes;
  const int last = left < kLanes ? static_cast<int>(left) : kLanes;
  const float* outer = w.x + row * w.x_row + column;
  F32 total[Rows][Vectors];
  unroll<0, Rows>([&](auto r) { unroll<0, Vectors>([&](auto j) { total[r][j] = broadcast(start); }); });
  for (std::int64_t o = 0; o < w.outer_steps; ++o, outer += w.x_outer) {
    F32 acc[Rows][Vectors];
    unroll<0, Rows>([&](auto r) { unroll<0, Vectors>([&](auto j) { acc[r][j] = broadcast(start); }); });
    const float* x = outer;
    for (std::int64_t i = 0; i < w.steps; ++i, x += w.x_step) {
      unroll<0, Rows>([&](auto r) {
        unroll<0, Vectors>([&](auto j) {
          const float* at = x + r * w.x_row + j * kLanes;
          acc[r][j] = f(acc[r][j], j + 1 < Vectors ? load(at) : load_up_to(at, last));
        });
      });
    }
    unroll<0, Rows>([&](auto r) { unroll<0, Vectors>([&](auto j) { total[r][j] = f(total[r][j], acc[r][j]); }); });
  }
  float* y = w.y + row * w.y_row + column;
  const F32 divisor = broadcast(w.divisor);
  unroll<0, Rows>([&](auto r) {
    unroll<0, Vectors>(
        [&](auto j) { store_up_to(y + r * w.y_row + j * kLanes, div(total[r][j], divisor), j + 1 < Vectors ? kLanes : last); });
  });
}

template <int Rows, class F>
[[gnu::always_inline]] inline void reduce_row_group(const ReduceWork& w, std::int64_t row, const F& f, float start) {
  constexpr int kVectors = Rows > 1 ? 2 : 4;
  std::int64_t c = 0;
  if constexpr (Rows == 1) {
    for (; c + 8 * kLanes <= w.columns; c += 8 * kLanes) reduce_block<1, 8>(w, row, c, f, start);
  }
  for (; c + kVectors * kLanes <= w.columns; c += kVectors * kLanes) reduce_block<Rows, kVectors>(w, row, c, f, start);
  for (; c < w.columns; c += kLanes) reduce_block<Rows, 1>(w, row, c, f, start);
}

[[gnu::flatten]] inline void reduce(const ReduceWork& w) {
  with_function(w.function, [&](const auto& f, float start) {
    std::int64_t r = 0;
    // Wide rows one after the other, in the order of addresses.
    for (; r + 4 <= w.rows && w.columns < 8 * kLanes; r += 4) reduce_row_group<4>(w, r, f, start);
    for (; r < w.rows; ++r) reduce_row_group<1>(w, r, f, start);
  });
}

template <class F>
[[gnu::always_inline]] inline F32 reduce_row(const float* x, std::int64_t n, const F& f, float start) {
  SixteenAccumulators acc = SixteenAccumulators::all(start);
  std::int64_t i = 0;
  for (; i + kAccumulators <= n; i += kAccumulators) acc = apply(f, acc, SixteenAccumulators::at(x + i));
  if (i < n) acc = apply(f, acc, SixteenAccumulators::first(x + i, static_cast<int>(n - i), broadcast(start)));
  return join(f, acc);
}

/// `Rows` rows, whose chains overlap; their results one after the other.
template <int Rows, class F>
[[gnu::always_inline]] inline void reduce_each_row(const ReduceRowsWork& w, std::int64_t row, float* results, const F& f, float start) {
  SixteenAccumulators acc[Rows];
  unroll<0, Rows>([&](auto r) { acc[r] = SixteenAccumulators::all(start); });
  const float* x = w.x + row * w.x_row;
  std::int64_t i = 0;
  for (; i + kAccumulators <= w.columns; i += kAccumulators) {
    unroll<0, Rows>([&](auto r) { acc[r] = apply(f, acc[r], SixteenAccumulators::at(x + r * w.x_row + i)); });
  }
  if (const int rest = static_cast<int>(w.columns - i); rest > 0) {
    unroll<0, Rows>([&](auto r) { acc[r] = apply(f, acc[r], SixteenAccumulators::first(x + r * w.x_row + i, rest, broadcast(start))); });
  }
  unroll<0, Rows>([&](auto r) { store_first(results + r, join(f, acc[r]), 1); });
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

/// Two accumulators joined of each of `Rows` rows: its vector of `joined`. What lies behind values of a row is read where that is its next
/// one.
template <int Rows, class F>
[[gnu::always_inline]] inline void reduce_to_vectors(const ReduceRowsWork& w, std::int64_t row, float* joined, const F& f, float start) {
  SixteenAccumulators acc[Rows];
  unroll<0, Rows>([&](auto r) { acc[r] = SixteenAccumulators::all(start); });
  const float* x = w.x + row * w.x_row;
  std::int64_t i = 0;
  for (; i + kAccumulators <= w.columns; i += kAccumulators) {
    unroll<0, Rows>([&](auto r) { acc[r] = apply(f, acc[r], SixteenAccumulators::at(x + r * w.x_row + i)); });
  }
  if (const int rest = static_cast<int>(w.columns - i); rest > 0) {
    const bool inside = (w.rows - row - Rows) * w.x_row >= kAccumulators - rest;
    const SixteenAccumulators lanes = SixteenAccumulators::at(kLaneNumbers);
    const F32 end = broadcast(static_cast<float>(rest)), fill = broadcast(start);
    float copy[kAccumulators] = {};
    unroll<0, Rows>([&](auto r) {
      const float* from = x + r * w.x_row + i;
      if (!inside) from = static_cast<const float*>(__builtin_memcpy(copy, from, static_cast<std::size_t>(rest) * sizeof(float)));
      const SixteenAccumulators v = SixteenAccumulators::at(from);
      acc[r] = apply(f, acc[r], apply([&](F32 lane, F32 value) { return select_less(lane, end, value, fill); }, lanes, v));
    });
  }
  unroll<0, Rows>([&](auto r) { store(joined + r * kLanes, f(acc[r].v[0], acc[r].v[SixteenAccumulators::kVectors - 1])); });
}

/// A row's result is one number. So many are joined and divided at once: a division of each took as long as a row of 50. us of 62,720
/// values, joined one by one / so (AMD EPYC, Zen 3, AVX2, 2026-11-30): means of rows of 49 @A@, maxima @B@.
[[gnu::flatten]] inline void reduce_rows(const ReduceRowsWork& w) {
  constexpr bool kTogether = SixteenAccumulators::kVectors == 2;
  constexpr int kRows = kTogether || SixteenAccumulators::kVectors == 1 ? 4 : 1;
  with_function(w.function, [&](const auto& f, float start) {
    const F32 divisor = broadcast(w.divisor);
    for (std::int64_t first = 0; first < w.rows; first += kLanes) {
      const int rows = w.rows - first < kLanes ? static_cast<int>(w.rows - first) : kLanes;
      float results[kLanes] = {}, joined[kTogether ? kLanes * kLanes : 1] = {};
      const auto some = [&](auto n, int r) {
        if constexpr (kTogether) return reduce_to_vectors<n>(w, first + r, joined + r * kLanes, f, start);
        reduce_each_row<n>(w, first + r, results + r, f, start);
      };
      int r = 0;
      for (; r + kRows <= rows; r += kRows) some(Index<kRows>{}, r);
      for (; r < rows; ++r) some(Index<1>{}, r);
      if constexpr (kTogether) store(results, join_rows(f, joined));
      store(results, div(load(results), divisor));
      for (r = 0; r < rows; ++r) w.y[(first + r) * w.y_row] = results[r];
    }
  });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
