// One row of a resized image: every pixel is a weighted sum of 1x1, 2x2 or 4x4 pixels, summed along rows and then over rows.
#pragma once

#include "kernels/tensor_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <int Taps>
[[gnu::always_inline]] inline void resize_row(const ResizeWork& w) {
  const float* rows[Taps];
  Vec row_weights[Taps];
  unroll<0, Taps>([&](auto r) {
    rows[r] = w.x + w.rows.at[r] * w.x_row;
    row_weights[r] = broadcast(w.rows.weight[r]);
  });
  float* y = w.y;
  for (std::int64_t i = 0; i < w.out_width; ++i, y += w.y_pixel) {
    const ResizeTaps& t = w.columns[i];
    std::int64_t at[Taps];
    Vec weights[Taps];
    unroll<0, Taps>([&](auto k) {
      at[k] = t.at[k] * w.x_pixel;
      weights[k] = broadcast(t.weight[k]);
    });
    const auto pixel = [&](std::int64_t c, const auto& get) {
      if constexpr (Taps == 1) return get(rows[0] + at[0] + c);
      Vec sum = broadcast(0.0F);
      unroll<0, Taps>([&](auto r) {
        Vec row = broadcast(0.0F);
        unroll<0, Taps>([&](auto k) {
          const Vec v = get(rows[r] + at[k] + c);
          row = k == 0 ? mul(v, weights[k]) : fma(v, weights[k], row);
        });
        sum = r == 0 ? mul(row, row_weights[r]) : fma(row, row_weights[r], sum);
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
