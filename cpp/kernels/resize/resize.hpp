// Resizing, one axis after the other: rows are resized to the new width, and two or four of them are blended to a new row.
#pragma once

#include "kernels/tensor_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// w[0] x[0] + w[1] x[1] + ..., in order
template <int Taps>
[[gnu::always_inline]] inline F32 weighted(const F32 (&x)[Taps], const F32 (&w)[Taps]) {
  F32 sum = mul(x[0], w[0]);
  unroll<1, Taps>([&](auto k) { sum = fma(x[k], w[k], sum); });
  return sum;
}

template <int Taps>
[[gnu::always_inline]] inline void resize_row(const ResizeWork& w) {
  float* y = w.y;
  for (std::int64_t i = 0; i < w.out_width; ++i, y += w.y_pixel) {
    const float* x[Taps];
    F32 weights[Taps];
    unroll<0, Taps>([&](auto k) {
      x[k] = w.x + w.columns[i].at[k] * w.x_pixel;
      weights[k] = broadcast(w.columns[i].weight[k]);
    });
    const auto pixel = [&](std::int64_t c, int lanes) {
      if constexpr (Taps == 1) return load_up_to(x[0] + c, lanes);
      F32 v[Taps];
      unroll<0, Taps>([&](auto k) { v[k] = load_up_to(x[k] + c, lanes); });
      return weighted(v, weights);
    };
    std::int64_t c = 0;
    for (; c + kLanes <= w.channels; c += kLanes) store(y + c, pixel(c, kLanes));
    if (const int rest = static_cast<int>(w.channels - c); rest > 0) store_first(y + c, pixel(c, rest), rest);
  }
}

[[gnu::flatten]] inline void resize(const ResizeWork& w) {
  w.taps == 1 ? resize_row<1>(w) : w.taps == 2 ? resize_row<2>(w) : resize_row<4>(w);
}

template <int Taps>
[[gnu::always_inline]] inline void blend_rows(const BlendWork& w) {
  const float* x[Taps];
  F32 weights[Taps];
  unroll<0, Taps>([&](auto k) {
    x[k] = w.x[k];
    weights[k] = broadcast(w.weights[k]);
  });
  float* y = w.y;
  for (std::int64_t r = 0; r < w.rows; ++r, y += w.y_row) {
    const auto at = [&](std::int64_t c, int lanes) {
      F32 v[Taps];
      unroll<0, Taps>([&](auto k) { v[k] = load_up_to(x[k] + c, lanes); });
      return weighted(v, weights);
    };
    std::int64_t c = 0;
    for (; c + kLanes <= w.columns; c += kLanes) store(y + c, at(c, kLanes));
    if (const int rest = static_cast<int>(w.columns - c); rest > 0) store_first(y + c, at(c, rest), rest);
    unroll<0, Taps>([&](auto k) { x[k] += w.columns; });
  }
}

[[gnu::flatten]] inline void blend(const BlendWork& w) { w.taps == 2 ? blend_rows<2>(w) : blend_rows<4>(w); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
