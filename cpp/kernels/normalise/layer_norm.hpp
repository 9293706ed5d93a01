// Rows with mean 0 and variance 1, then scaled and shifted (Ba, Kiros, Hinton, Layer Normalization, 2016). The variance is taken about the
// mean in a second pass: the mean of squares would cancel.
#pragma once

#include "kernels/reduce/reduce.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// `Rows` rows, whose chains overlap.
template <int Rows>
[[gnu::always_inline]] inline void normalise_rows(const LayerNormWork& w, std::int64_t row, const float* scales, const float* shifts) {
  const auto sum = [](F32 a, F32 b) { return add(a, b); };
  const F32 count = broadcast(static_cast<float>(w.columns)), epsilon = broadcast(w.epsilon), zero = broadcast(0.0F);
  const std::int64_t whole = w.columns / kAccumulators * kAccumulators, moves = w.alone ? 0 : -1;
  const int rest = static_cast<int>(w.columns - whole);
  const float* x = w.x + row * w.x_row;
  float* y = w.y + row * w.y_row;
  const auto each_row = [&](const auto& f) { unroll<0, Rows>(f); };
  F32 mean[Rows], factor[Rows];
  // f(accumulators, values, row) for all of each row; lanes behind its end are `fill`.
  const auto joined = [&](const auto& f, const auto& fill, F32* results) {
    SixteenAccumulators acc[Rows];
    const auto next = [&](auto r, const SixteenAccumulators& v) { acc[r] = apply([&](F32 a, F32 b) { return f(a, b, r); }, acc[r], v); };
    each_row([&](auto r) { acc[r] = SixteenAccumulators::all(0.0F); });
    for (std::int64_t i = 0; i < whole; i += kAccumulators) {
      each_row([&](auto r) { next(r, SixteenAccumulators::at(x + r * w.x_row + i)); });
    }
    if (rest > 0) each_row([&](auto r) { next(r, SixteenAccumulators::first(x + r * w.x_row + whole, rest, fill(r))); });
    each_row([&](auto r) { results[r] = div(join(sum, acc[r]), count); });
  };
  joined([&](F32 a, F32 b, auto) { return add(a, b); }, [&](auto) { return zero; }, mean);
  const auto square = [&](F32 acc, F32 v, auto r) {
    const F32 d = sub(v, mean[r]);
    return fma(d, d, acc);
  };
  joined(
      square, [&](auto r) { return mean[r]; }, factor);
  each_row([&](auto r) { factor[r] = div(broadcast(1.0F), sqrt(add(factor[r], epsilon))); });
  const auto finish = [&](auto r, const SixteenAccumulators& v, const SixteenAccumulators& scale, const SixteenAccumulators& shift) {
    SixteenAccumulators out;
    unroll<0, SixteenAccumulators::kVectors>([&](auto i) { out.v[i] = fma(mul(sub(v.v[i], mean[r]), factor[r]), scale.v[i], shift.v[i]); });
    return out;
  };
  for (std::int64_t i = 0; i < whole; i += kAccumulators) {
    const auto scale = SixteenAccumulators::at(scales + (i & moves)), shift = SixteenAccumulators::at(shifts + (i & moves));
    each_row([&](auto r) { finish(r, SixteenAccumulators::at(x + r * w.x_row + i), scale, shift).store_to(y + r * w.y_row + i); });
  }
  if (rest > 0) {
    const auto last = [&](const float* p) { return SixteenAccumulators::first(p, rest, zero); };
    const auto scale = last(scales + (whole & moves)), shift = last(shifts + (whole & moves));
    each_row([&](auto r) { finish(r, last(x + r * w.x_row + whole), scale, shift).store_first_to(y + r * w.y_row + whole, rest); });
  }
}

/// By two on AVX2: us of 50 rows of 64, 197 of 192, 577 of 768, 64 of 3136 and 16 of 65536 one by one / so: 1.8 / 1.2, 16.3 / 11.8, 167 /
/// 104, 75 / 51, 465 / 357 (AMD EPYC, Zen 3, 2026-11-30, least times in turns). AVX-512 was not timed.
[[gnu::flatten]] inline void layer_norm(const LayerNormWork& w) {
  float copies[2][kAccumulators] = {};
  if (w.alone) {
    SixteenAccumulators::all(*w.scale).store_to(copies[0]);
    SixteenAccumulators::all(*w.shift).store_to(copies[1]);
  }
  const float *const scales = w.alone ? copies[0] : w.scale, *const shifts = w.alone ? copies[1] : w.shift;
  std::int64_t r = 0;
  if constexpr (SixteenAccumulators::kVectors == 2) {
    for (; r + 2 <= w.rows; r += 2) normalise_rows<2>(w, r, scales, shifts);
  }
  for (; r < w.rows; ++r) normalise_rows<1>(w, r, scales, shifts);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
