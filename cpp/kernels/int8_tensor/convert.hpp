// From real numbers to stored ones and back, of one scale.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// x / scale to as many places as rounding to bytes asks for: the very quotient, or one beyond all bytes on its side. A division of 64
/// bytes of floats takes 16 cycles by tables of instructions, these five operations 2.5. The first quotient is off by less than two places,
/// the second by none or next to none, and the third is the correctly rounded one (Markstein), as the reciprocal is correctly rounded and
/// no remainder is denormal where the quotient is not far below a half.
struct Quotient {
  F32 scale, reciprocal, least, most;
  bool by_division;

  [[gnu::always_inline]] inline explicit Quotient(float s)
      : scale(broadcast(s)),
        reciprocal(broadcast(1.0F / s)),
        least(broadcast(-kFar * s)),
        most(broadcast(kFar * s)),
        by_division(!kFusedMultiplyAdd || kUnfused || !(s > 1e-18F && s < 1e18F)) {}

  /// NaN becomes the least.
  [[gnu::always_inline]] inline F32 of(F32 x) const {
    if (by_division) return min_or_second(max_or_second(div(x, scale), broadcast(-kFar)), broadcast(kFar));
    const F32 within = min_or_second(max_or_second(x, least), most), negative = sub(broadcast(0.0F), scale);
    F32 q = mul(within, reciprocal);
    unroll<0, 2>([&](auto) { q = fma(fma(q, negative, within), reciprocal, q); });
    return q;
  }

 private:
  static constexpr float kFar = 1024.0F;
};

[[gnu::flatten]] inline void int8_quantize(const QuantizeWork& work) {
  const QuantizeWork w = work;  // bytes that are stored could be its own
  const Rounding rounding(w.zero, -128, 127, w.y_flip, true);
  const Quotient quotient(w.scale);
  Part<float> part;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const float* const x = w.x + r * w.x_row;
    std::int8_t* const y = w.y + r * w.y_row;
    by_bytes(w.columns, [&](std::int64_t c, int n) {
      const float* const from = part.at(x + c, n);
      F32 v[4];
      unroll<0, 4>([&](auto j) { v[j] = quotient.of(load(from + j * kLanes)); });
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
