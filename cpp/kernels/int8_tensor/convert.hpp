// From real numbers to stored ones and back, of one scale.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::flatten]] inline void int8_quantize(const QuantizeWork& work) {
  const QuantizeWork w = work;  // bytes that are stored could be its own
  const Rounding rounding(w.zero, -128, 127, w.y_flip);
  const F32 scale = broadcast(w.scale);
  Part<float> part;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const float* const x = w.x + r * w.x_row;
    std::int8_t* const y = w.y + r * w.y_row;
    by_bytes(w.columns, [&](std::int64_t c, int n) {
      const float* const from = part.at(x + c, n);
      F32 v[4];
      unroll<0, 4>([&](auto j) { v[j] = div(load(from + j * kLanes), scale); });
      store_part(y + c, rounding.stored(v), n);
    });
  }
}

[[gnu::flatten]] inline void int8_dequantize(const DequantizeWork& w) {
  const I32 flip = flip_bits(w.x_flip), zero = broadcast(w.zero);
  const F32 scale = broadcast(w.scale);
  Part<std::int8_t> part;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    by_bytes(w.columns, [&](std::int64_t c, int n) {
      const std::int8_t* const x = part.at(w.x + r * w.x_row + c, n);
      F32 v[4];
      unroll<0, 4>([&](auto j) { v[j] = mul(to_float(sub(widened_at(x + j * kLanes, flip), zero)), scale); });
      store_part(w.y + r * w.y_row + c, v, n);
    });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
