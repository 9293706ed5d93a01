// Rows to columns.
#pragma once

#include "kernels/tensor_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::flatten]] inline void transpose(const TransposeWork& w) {
  constexpr std::int64_t kBlock = 16;
  for (std::int64_t c = 0; c < w.columns; c += kBlock) {
    const std::int64_t c_end = c + kBlock < w.columns ? c + kBlock : w.columns;
    for (std::int64_t r = 0; r < w.rows; ++r) {
      for (std::int64_t k = c; k < c_end; ++k) w.y[k * w.y_row + r] = w.x[r * w.x_row + k];
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
