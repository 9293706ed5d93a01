// One row of a resized image: every pixel is a weighted sum of 1x1, 2x2 or 4x4 pixels, summed along rows and then over rows.
#pragma once

#include "kernels/tensor_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <int Taps>
[[gnu::always_inline]] inline void resize_row(const ResizeWork& w) {
  const float* rows[Taps];
  for (int r = 0; r < Taps; ++r) rows[r] = w.x + w.rows.at[r] * w.x_row;
  float* y = w.y;
  for (std::int64_t i = 0; i < w.out_width; ++i, y += w.y_pixel) {
    const ResizeTaps& t = w.columns[i];
    const auto pixel = [&](std::int64_t c, const auto& get) {
      if constexpr (Taps == 1) return get(rows[0] + t.at[0] * w.x_pixel + c);
      Vec sum{};
      unroll<0, Taps>([&](auto r) {
        Vec row{};
        unroll<0, Taps>([&](auto k) {
          const Vec v = get(rows[r] + t.at[k] * w.x_pixel + c), weight = broadcast(t.weight[k]);
          row = k == 0 ? mul(v, weight) : fma(v, weight, row);
        });
        sum = r == 0 ? mul(row, broadcast(w.rows.weight[r])) : fma(row, broadcast(w.rows.weight[r]), sum);
      });
      return sum;
    };
    std::int64_t c = 0;
    for (; c + kLanes <= w.channels; c += kLanes) store(y + c, pixel(c, [](const float* p) { return load(p); }));
    if (const int rest = static_cast<int>(w.channels - c); rest > 0) {
      store_first(y + c, pixel(c, [&](const float* p) { return load_first(p, rest); }), rest);
    }
  }
}

[[gnu::flatten]] inline void resize(const ResizeWork& w) {
  w.taps == 1 ? resize_row<1>(w) : w.taps == 2 ? resize_row<2>(w) : resize_row<4>(w);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
