// A function of one element over a block of rows.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// y[row][column] = f(x[row][column]); x and y may be the same. By four vectors, whose chains overlap: 4096 sigmoids take 1.4 us instead
/// of 2.0.
template <class F>
[[gnu::always_inline]] inline void map_block(const float* x, std::int64_t x_row, float* y, std::int64_t y_row, std::int64_t rows,
                                             std::int64_t columns, const F& f) {
  constexpr int kStep = 4 * kLanes;
  for (std::int64_t r = 0; r < rows; ++r, x += x_row, y += y_row) {
    std::int64_t c = 0;
    for (; c + kStep <= columns; c += kStep) {
      F32 v[4];
      unroll<0, 4>([&](auto i) { v[i] = f(load(x + c + i * kLanes)); });
      unroll<0, 4>([&](auto i) { store(y + c + i * kLanes, v[i]); });
    }
    for (; c + kLanes <= columns; c += kLanes) store(y + c, f(load(x + c)));
    if (const int rest = static_cast<int>(columns - c); rest > 0) store_first(y + c, f(load_first(x + c, rest)), rest);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
