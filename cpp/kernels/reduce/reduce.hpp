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

/// Whether rows are left as a vector each, eight of which are transposed and then joined, as join() does.
constexpr bool kJoinsTransposed = SixteenAccumulators::kVectors == 2;
constexpr int kResult = kJoinsTransposed ? kLanes : 1;

template <class F>
[[gnu::always_inline]] inline F32 join_rows(const F& f, F32 (&v)[kLanes]) {
  transpose_lanes(v);
  const auto pair = [&](int i) { return f(v[i], v[i + kLanes / 2]); };
  return f(f(pair(0), pair(2)), f(pair(1), pair(3)));
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
  unroll<0, Rows>([&](auto r) {
    if constexpr (kJoinsTransposed) {
      store(results + r * kResult, f(acc[r].v[0], acc[r].v[1]));
    } else {
      store_first(results + r, join(f, acc[r]), 1);
    }
  });
}

/// Rows of up to `V` vectors, eight of them at a time: each is a vector of two accumulators that are joined, and transposed they are
/// joined as join() does. Lanes behind a row are read where they are those of its next one. us of 8,960 rows of 7, as of planes of 7x7,
/// joined one by one / so: sums 76 / 9, maxima 62 / 12; of 3,920 of 16 22 / 5 (AMD EPYC, Zen 3, AVX2, 2026-11-30).
template <int V, class F>
[[gnu::always_inline]] inline void reduce_short_rows(const ReduceRowsWork& w, const F& f, float start) {
  constexpr int kRow = V * kLanes;
  const int last = static_cast<int>(w.columns) - (V - 1) * kLanes;
  const F32 end = broadcast(static_cast<float>(last)), fill = broadcast(start), divisor = broadcast(w.divisor);
  float copies[kLanes * kRow] = {}, results[kLanes];
  for (std::int64_t first = 0; first < w.rows; first += kLanes) {
    const int rows = w.rows - first < kLanes ? static_cast<int>(w.rows - first) : kLanes;
    const float* x = w.x + first * w.x_row;
    std::int64_t x_row = w.x_row;
    // Rows of a negative stride have nothing behind the first one, and behind the last one what lies before the array.
    if (x_row < 0 || (w.rows - first - kLanes) * x_row < kRow - w.columns) {
      for (int r = 0; r < rows; ++r)
        __builtin_memcpy(copies + r * kRow, x + r * x_row, static_cast<std::size_t>(w.columns) * sizeof(float));
      x = copies;
      x_row = kRow;
    }
    F32 v[kLanes];
    unroll<0, kLanes>([&](auto r) {
      const float* const row = x + r * x_row;
      const F32 tail = f(fill, select_less(load(kLaneNumbers), end, load(row + kRow - kLanes), fill));
      v[r] = V == 2 ? f(f(fill, load(row)), tail) : f(tail, fill);
    });
    const F32 joined = div(join_rows(f, v), divisor);
    if (rows == kLanes && w.y_row == 1) {
      store(w.y + first, joined);
      continue;
    }
    store(results, joined);
    for (int r = 0; r < rows; ++r) w.y[(first + r) * w.y_row] = results[r];
  }
}

/// A row's result is one number. So many are divided at once: a division of each took as long as a row of 50.
[[gnu::flatten]] inline void reduce_rows(const ReduceRowsWork& w) {
  constexpr int kRows = 16 / SixteenAccumulators::kVectors / 4;  // 4 on AVX-512, 2 on AVX2
  with_function(w.function, [&](const auto& f, float start) {
    if constexpr (SixteenAccumulators::kVectors == 2) {
      if (w.columns <= kLanes && w.columns > 0) return reduce_short_rows<1>(w, f, start);
      if (w.columns <= 2 * kLanes && w.columns > 0) return reduce_short_rows<2>(w, f, start);
    }
    const F32 divisor = broadcast(w.divisor);
    for (std::int64_t first = 0; first < w.rows; first += kLanes) {
      const int rows = w.rows - first < kLanes ? static_cast<int>(w.rows - first) : kLanes;
      float results[kLanes * kResult] = {};
      int r = 0;
      for (; r + kRows <= rows; r += kRows) reduce_each_row<kRows>(w, first + r, results + r * kResult, f, start);
      for (; r < rows; ++r) reduce_each_row<1>(w, first + r, results + r * kResult, f, start);
      F32 joined = load(results);
      if constexpr (kJoinsTransposed) {
        F32 v[kLanes];
        unroll<0, kLanes>([&](auto i) { v[i] = load(results + i * kLanes); });
        joined = join_rows(f, v);
      }
      store(results, div(joined, divisor));
      for (r = 0; r < rows; ++r) w.y[(first + r) * w.y_row] = results[r];
    }
  });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
