// The lines of an array along one axis, which ops that walk them divide among threads.
#pragma once

#include <array>

#include "runtime/layers/layer.hpp"
#include "runtime/network/array.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {

/// Calls f(offsets) for one thread's part of the lines of some arrays, of which `shape` is the shape but for the axis.
template <std::size_t N, class F>
void for_each_line(const Team& team, const Dims& shape, int axis, const std::array<Dims, N>& strides, const F& f) {
  std::int64_t lines = 1;
  for (int i = 0; i < shape.rank(); ++i) lines *= i == axis ? 1 : shape[i];
  const Range mine = part_of(lines, team.rank(), team.size());
  for (std::int64_t line = mine.begin; line < mine.end; ++line) {
    std::array<std::int64_t, N> at{};
    std::int64_t rest = line;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      if (i == axis) continue;
      for (std::size_t k = 0; k < N; ++k) at[k] += rest % shape[i] * strides[k][i];
      rest /= shape[i];
    }
    f(at);
  }
}

}  // namespace dwsep::runtime
