// Where quads of x lie for the int8 depthwise convolution.
#pragma once

#include "kernels/int8/quad_filter.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Four vectors of bytes interleaved: vector j has the quads of channels as channel_of() puts them.
[[gnu::always_inline]] inline void store_quads(I8 a, I8 b, I8 c, I8 d, std::int8_t* to, std::int64_t plane) {
  const auto words = [](I8 x) { return reinterpret<std::int16_t>(x); };
  const I16 ab = words(lane_unpack_lower(a, b)), cd = words(lane_unpack_lower(c, d));
  const I16 ab_upper = words(lane_unpack_upper(a, b)), cd_upper = words(lane_unpack_upper(c, d));
  store(to, reinterpret<std::int8_t>(lane_unpack_lower(ab, cd)));
  store(to + plane, reinterpret<std::int8_t>(lane_unpack_upper(ab, cd)));
  store(to + 2 * plane, reinterpret<std::int8_t>(lane_unpack_lower(ab_upper, cd_upper)));
  store(to + 3 * plane, reinterpret<std::int8_t>(lane_unpack_upper(ab_upper, cd_upper)));
}

/// Where the quads of a row lie: in four planes, one for each vector of a panel's sums. A plane has the positions that one output after the
/// other reads next to each other; with strides of columns those between them follow as further phases.
struct QuadLayout {
  int pixels;                                    ///< that share a vector
  std::int64_t position, step, phases, vectors;  ///< bytes of a position; columns of x from one to the next; vectors of a phase

  QuadLayout(const QuadFilter& f, std::int64_t kw, std::int64_t stride_w, std::int64_t dilation_w, int pixels_of_vector)
      : pixels(pixels_of_vector), position(I8::kLanes / pixels), step(f.along * stride_w), phases(1), vectors(0) {
    const std::int64_t span = (kw - 1) * dilation_w + 1;
    if (f.wide == 1) phases = step < span ? step : span;
  }
  /// Positions that begin in so many columns.
  std::int64_t positions(std::int64_t columns) const {
    if (columns <= 0) return 0;
    return step == 1 ? columns : (step == 2 ? (columns + 1) / 2 : (columns + step - 1) / step);
  }
  std::int64_t plane() const { return phases * vectors * I8::kLanes; }
  /// Of tap or square kx. `columns`: from the first of a filter.
  std::int64_t offset(std::int64_t columns) const { return columns % step * vectors * I8::kLanes + columns / step * position; }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
