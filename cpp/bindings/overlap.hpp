// Which views share memory. Both tests may say yes where the answer is no, at the cost of a copy, but never the other way round.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "bindings/arrays.hpp"

namespace dwsep::python {

/// True unless the axes nest: each steps over all that lies inside it.
inline bool may_overlap_itself(const View& v) {
  std::array<std::pair<std::int64_t, std::int64_t>, 3> axes = {{// step, size
                                                                {std::abs(v.strides[2]), v.shape.w},
                                                                {std::abs(v.strides[1]), v.shape.h},
                                                                {std::abs(v.strides[0]), v.shape.n}}};
  if (axes[1] < axes[0]) std::swap(axes[0], axes[1]);
  if (axes[2] < axes[1]) std::swap(axes[1], axes[2]);
  if (axes[1] < axes[0]) std::swap(axes[0], axes[1]);
  std::int64_t inside = v.shape.c * static_cast<std::int64_t>(sizeof(float));
  for (const auto& [step, size] : axes) {
    if (size <= 1) continue;
    if (step < inside) return true;
    inside += step * (size - 1);
  }
  return false;
}

/// The bytes that a view reaches: the first one and their number.
struct Span {
  std::int64_t low = 0, bytes = 0;

  void widen(std::int64_t stride, std::int64_t size) {
    const std::int64_t reach = stride * (size - 1);
    low += reach < 0 ? reach : 0;
    bytes += std::abs(reach);
  }
};

/// True if `b`, repeated every `period` bytes, stays clear of `a`; a period of 0 stands for no repetition.
inline bool apart(const Span& a, const Span& b, std::int64_t period) {
  const std::int64_t distance = b.low - a.low;
  if (period == 0) return distance >= a.bytes || -distance >= b.bytes;
  const std::int64_t ahead = (distance % period + period) % period;
  return ahead >= a.bytes && period - ahead >= b.bytes;
}

/// False where the views have no byte in common, as far as that shows in whole images, rows or pixels that lie side by side in a larger
/// array: a crop beside a crop, channels beside channels.
inline bool may_overlap(const View& a, const View& b) {
  if (a.shape.empty() || b.shape.empty()) return false;
  const std::array<std::int64_t, 3> sizes_a = {a.shape.n, a.shape.h, a.shape.w}, sizes_b = {b.shape.n, b.shape.h, b.shape.w};
  const auto pixel = [](const View& v) {
    return Span{static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(v.data)), v.shape.c * static_cast<std::int64_t>(sizeof(float))};
  };
  // Blocks made of the inner axes repeat at multiples of the common divisor of the outer steps. From whole views, which are mostly apart
  // and quick to tell, inwards to pixels.
  for (std::size_t outer = 0; outer <= 3; ++outer) {
    Span block_a = pixel(a), block_b = pixel(b);
    std::int64_t period = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (axis < outer) {
        if (sizes_a[axis] > 1) period = std::gcd(period, a.strides[axis]);
        if (sizes_b[axis] > 1) period = std::gcd(period, b.strides[axis]);
      } else {
        block_a.widen(a.strides[axis], sizes_a[axis]);
        block_b.widen(b.strides[axis], sizes_b[axis]);
      }
    }
    if (apart(block_a, block_b, period)) return false;
  }
  return true;
}

}  // namespace dwsep::python
