// Multiplication of pixels by one factor for each channel: the gate of squeeze-excite.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// x[row][column] *= gate[column]
[[gnu::flatten, gnu::noinline]] inline void scale_block(float* x, std::int64_t rows, std::int64_t row_stride, std::int64_t columns,
                                                        const float* gate) {
  for (std::int64_t r = 0; r < rows; ++r, x += row_stride) {
    std::int64_t c = 0;
    for (; c + kLanes <= columns; c += kLanes) store(x + c, mul(load(x + c), load(gate + c)));
    if (const int rest = static_cast<int>(columns - c); rest > 0) {
      store_first(x + c, mul(load_first(x + c, rest), load_first(gate + c, rest)), rest);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
