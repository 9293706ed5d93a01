// The lines of an array along one axis, which ops that walk them divide among threads.
#pragma once

#include <algorithm>
#include <array>

#include "runtime/layers/layer.hpp"
#include "runtime/network/array.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {

/// The last axis but the one that lines run along; -1 if there is none.
inline int axis_of_lines(const Dims& shape, int axis) { return axis + 1 == shape.rank() ? axis - 1 : shape.rank() - 1; }

/// Calls f(offsets, count) for one thread's part of the lines of some arrays, of which `shape` is the shape but for the axis: `count` lines
/// follow each other along axis_of_lines. Divisions for each line took as long as the softmax of a short one.
template <std::size_t N, class F>
void for_runs_of_lines(const Team& team, const Dims& shape, int axis, const std::array<Dims, N>& strides, const F& f) {
  std::int64_t lines = 1;
  for (int i = 0; i < shape.rank(); ++i) lines *= i == axis ? 1 : shape[i];
  const int along = axis_of_lines(shape, axis);
  const std::int64_t run = along < 0 ? 1 : shape[along];
  const Range mine = part_of(lines, team.rank(), team.size());
  for (std::int64_t line = mine.begin; line < mine.end;) {
    std::array<std::int64_t, N> at{};
    std::int64_t rest = line;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      if (i == axis) continue;
      for (std::size_t k = 0; k < N; ++k) at[k] += rest % shape[i] * strides[k][i];
      rest /= shape[i];
    }
    const std::int64_t count = std::min(run - line % run, mine.end - line);
    f(at, count);
    line += count;
  }
}

/// Calls f(offsets) for each of these lines.
template <std::size_t N, class F>
void for_each_line(const Team& team, const Dims& shape, int axis, const std::array<Dims, N>& strides, const F& f) {
  const int along = axis_of_lines(shape, axis);
  for_runs_of_lines<N>(team, shape, axis, strides, [&](std::array<std::int64_t, N> at, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      f(at);
      for (std::size_t k = 0; along >= 0 && k < N; ++k) at[k] += strides[k][along];
    }
  });
}

/// Calls f(offsets, count) for them: `count` lines begin at adjacent elements of all arrays.
template <std::size_t N, class F>
void for_adjacent_lines(const Team& team, const Dims& shape, int axis, const std::array<Dims, N>& strides, const F& f) {
  const int last = shape.rank() - 1;
  const bool adjacent = axis != last && std::all_of(strides.begin(), strides.end(), [&](const Dims& s) { return s[last] == 1; });
  if (adjacent) return for_runs_of_lines<N>(team, shape, axis, strides, f);
  for_each_line<N>(team, shape, axis, strides, [&](const std::array<std::int64_t, N>& at) { f(at, 1); });
}

}  // namespace dwsep::runtime
