// Which taps of a window lie inside the image.
#pragma once

#include <cstdint>

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The taps of one axis inside the input: position of the first, and their number.
struct PoolTaps {
  std::int64_t first, count;
  [[gnu::always_inline]] inline PoolTaps(std::int64_t start, std::int64_t taps, std::int64_t dilation, std::int64_t size)
      : first(start), count(taps) {
    if (start >= 0 && start + (taps - 1) * dilation < size) return;
    const std::int64_t skipped = start < 0 ? (-start + dilation - 1) / dilation : 0;
    first = start + skipped * dilation;
    const std::int64_t inside = first < size ? (size - 1 - first) / dilation + 1 : 0, left = taps - skipped;
    count = left < 0 ? 0 : inside < left ? inside : left;
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
