#include "runtime/far_memory.hpp"

#include <algorithm>

#include "dwsep/cpu.hpp"

namespace dwsep::runtime {
namespace {

template <class T>
bool gapless(const T& t) {
  return t.stride_w == t.shape.c && evenly_spaced(t);
}

/// The input rows that output rows read.
Range input_rows(const Geometry& g, const Shape& x, Range out) {
  const std::int64_t first = out.begin * g.stride_h - g.pad_top;
  const std::int64_t last = (out.end - 1) * g.stride_h - g.pad_top + (g.kh - 1) * g.dilation_h;
  return {std::clamp<std::int64_t>(first, 0, x.h), std::clamp<std::int64_t>(last + 1, 0, x.h)};
}

}  // namespace

bool may_be_far(double bytes) {
  // Half of the last cache, which others use as well: with 32 MB, depthwise 147x147 takes 246 us near and 483 far with 64 channels (11 MB),
  // 600-1400 and 780 with 96 (17 MB), 2250 and 1040 with 128 (22 MB). No core fills more than 64 MB before it needs the first again.
  return bytes > std::min(static_cast<double>(cache_sizes().l3) / 2, 64e6);
}

bool far(double bytes, const ConstTensor& x, const Tensor& y) { return may_be_far(bytes) && gapless(x) && gapless(y); }

void fetch_rows(const Geometry& g, const ConstTensor& x, std::int64_t image, Range out, bool continued) {
  Range rows = input_rows(g, x.shape, out);
  if (continued) rows.begin = std::max(rows.begin, input_rows(g, x.shape, {out.begin - 1, out.begin}).end);
  if (rows.begin >= rows.end) return;
  const float* const data = x.data + image * x.stride_n;
  fetch(data + rows.begin * x.stride_h, data + (rows.end - 1) * x.stride_h + x.shape.w * x.stride_w);
}

}  // namespace dwsep::runtime
