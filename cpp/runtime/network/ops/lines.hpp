// The lines of an array along one axis, which ops that walk them divide among threads.
#pragma once

#include <algorithm>
#include <array>

#include "runtime/layers/layer.hpp"
#include "runtime/network/array.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {

/// Calls f(offsets, count) for one thread's part of the lines of some arrays, of which `shape` is the shape but for the axis: `count` lines
/// begin at adjacent elements of all of them.
template <std::size_t N, class F>
void for_adjacent_lines(const Team& team, const Dims& shape, int axis, const std::array<Dims, N>& strides, const F& f) {
  std::int64_t lines = 1;
  for (int i = 0; i < shape.rank(); ++i) lines *= i == axis ? 1 : shape[i];
  const int last = shape.rank() - 1;
  bool adjacent = axis != last;
  for (std::size_t k = 0; adjacent && k < N; ++k) adjacent = strides[k][last] == 1;
  const Range mine = part_of(lines, team.rank(), team.size());
  for (std::int64_t line = mine.begin; line < mine.end;) {
    std::array<std::int64_t, N> at{};
    std::int64_t rest = line;
    for (int i = last; i >= 0; --i) {
      if (i == axis) continue;
      for (std::size_t k = 0; k < N; ++k) at[k] += rest % shape[i] * strides[k][i];
      rest /= shape[i];
    }
    const std::int64_t count = adjacent ? std::min(shape[last] - line % shape[last], mine.end - line) : 1;
    f(at, count);
    line += count;
  }
}

/// Calls f(offsets) for each of these lines.
template <std::size_t N, class F>
void for_each_line(const Team& team, const Dims& shape, int axis, const std::array<Dims, N>& strides, const F& f) {
  for_adjacent_lines<N>(team, shape, axis, strides, [&](std::array<std::int64_t, N> at, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      f(at);
      for (std::int64_t& offset : at) ++offset;
    }
  });
}

}  // namespace dwsep::runtime
