#include "bindings/overlap.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <vector>

namespace dwsep::python {
namespace {

/// The memory range of a view: first byte and size.
struct Span {
  std::int64_t low = 0, bytes = 0;

  void widen(std::int64_t stride, std::int64_t size) {
    const std::int64_t reach = stride * (size - 1);
    low += reach < 0 ? reach : 0;
    bytes += std::abs(reach);
  }
};

/// True if `b`, repeated every `period` bytes, stays clear of `a`; a period of 0 stands for no repetition.
bool apart(const Span& a, const Span& b, std::int64_t period) {
  const std::int64_t distance = b.low - a.low;
  if (period == 0) return distance >= a.bytes || -distance >= b.bytes;
  const std::int64_t ahead = (distance % period + period) % period;
  return ahead >= a.bytes && period - ahead >= b.bytes;
}

}  // namespace

bool overlaps_itself(const View& v) {
  if (v.dense || v.shape.empty()) return false;
  struct Axis {
    std::int64_t step, size;
  };
  const std::int64_t element = v.size();
  std::array<Axis, 4> axes = {{{v.strides[3], v.shape.c}, {v.strides[2], v.shape.w}, {v.strides[1], v.shape.h}, {v.strides[0], v.shape.n}}};
  for (Axis& axis : axes) axis.step = axis.size > 1 ? std::abs(axis.step) : std::numeric_limits<std::int64_t>::max();
  std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.step < b.step; });
  // Nearly always the axes nest: each steps over all that lies inside it.
  Span span{0, element};
  bool nested = true;
  double count = 1;
  for (const Axis& axis : axes) {
    if (axis.size == 1) continue;
    nested = nested && axis.step >= span.bytes;
    span.widen(axis.step, axis.size);
    count *= static_cast<double>(axis.size);
  }
  if (nested) return false;
  if (count * static_cast<double>(element) > static_cast<double>(span.bytes)) return true;
  std::vector<std::int64_t> offsets = {0};
  offsets.reserve(static_cast<std::size_t>(count));
  for (const Axis& axis : axes) {
    const std::size_t inner = offsets.size();
    for (std::int64_t i = 1; i < axis.size; ++i) {
      for (std::size_t j = 0; j < inner; ++j) offsets.push_back(offsets[j] + i * axis.step);
    }
  }
  std::sort(offsets.begin(), offsets.end());
  const auto close = [element](std::int64_t a, std::int64_t b) { return b - a < element; };
  return std::adjacent_find(offsets.begin(), offsets.end(), close) != offsets.end();
}

bool may_overlap(const View& a, const View& b) {
  if (a.shape.empty() || b.shape.empty()) return false;
  const auto bytes = [](const View& v) { return v.shape.n * v.shape.h * v.shape.w * v.shape.c * v.size(); };
  if (a.dense && b.dense) return a.data < b.data + bytes(b) && b.data < a.data + bytes(a);
  const std::array<std::int64_t, 3> sizes_a = {a.shape.n, a.shape.h, a.shape.w}, sizes_b = {b.shape.n, b.shape.h, b.shape.w};
  const auto pixel = [](const View& v) {
    return Span{static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(v.data)), v.shape.c * v.size()};
  };
  // Blocks made of the inner axes repeat at multiples of the common divisor of the outer steps. From whole views, which are mostly apart
  // and quick to decide, inwards to pixels.
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
