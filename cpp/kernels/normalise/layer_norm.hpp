// Rows with mean 0 and variance 1, then scaled and shifted (Ba, Kiros, Hinton, Layer Normalization, 2016). The variance is taken about the
// mean in a second pass: the mean of squares would cancel.
#pragma once

#include "kernels/reduce/reduce.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::flatten]] inline void layer_norm(const LayerNormWork& w) {
  const auto sum = [](F32 a, F32 b) { return add(a, b); };
  const F32 count = broadcast(static_cast<float>(w.columns)), epsilon = broadcast(w.epsilon), zero = broadcast(0.0F);
  const std::int64_t whole = w.columns / kAccumulators * kAccumulators;
  const int rest = static_cast<int>(w.columns - whole);
  float copies[2][kAccumulators] = {};
  if (w.alone) {
    SixteenAccumulators::all(*w.scale).store_to(copies[0]);
    SixteenAccumulators::all(*w.shift).store_to(copies[1]);
  }
  const float *const scales = w.alone ? copies[0] : w.scale, *const shifts = w.alone ? copies[1] : w.shift;
  const std::int64_t moves = w.alone ? 0 : -1;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const float* x = w.x + r * w.x_row;
    float* y = w.y + r * w.y_row;
    const F32 mean = div(reduce_row(x, w.columns, sum, 0.0F), count);
    const auto square = [&](F32 acc, F32 v) {
      const F32 d = sub(v, mean);
      return fma(d, d, acc);
    };
    SixteenAccumulators acc = SixteenAccumulators::all(0.0F);
    for (std::int64_t i = 0; i < whole; i += kAccumulators) acc = apply(square, acc, SixteenAccumulators::at(x + i));
    if (rest > 0) acc = apply(square, acc, SixteenAccumulators::first(x + whole, rest, mean));
    const F32 factor = div(broadcast(1.0F), sqrt(add(div(join(sum, acc), count), epsilon)));
    const auto finish = [&](const SixteenAccumulators& v, const SixteenAccumulators& scale, const SixteenAccumulators& shift) {
      SixteenAccumulators out;
      unroll<0, SixteenAccumulators::kVectors>([&](auto i) { out.v[i] = fma(mul(sub(v.v[i], mean), factor), scale.v[i], shift.v[i]); });
      return out;
    };
    for (std::int64_t i = 0; i < whole; i += kAccumulators) {
      const std::int64_t at = i & moves;
      finish(SixteenAccumulators::at(x + i), SixteenAccumulators::at(scales + at), SixteenAccumulators::at(shifts + at)).store_to(y + i);
    }
    if (rest > 0) {
      const auto last = [&](const float* p) { return SixteenAccumulators::first(p, rest, zero); };
      finish(last(x + whole), last(scales + (whole & moves)), last(shifts + (whole & moves))).store_first_to(y + whole, rest);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
