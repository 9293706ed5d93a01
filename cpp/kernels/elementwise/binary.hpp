// Binary functions of two arrays; either may broadcast one value to all columns of a row.
#pragma once

#include "kernels/elementwise/functions.hpp"
#include "kernels/elementwise/map.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// What an array has for a row: a value for each column, one for all, or either, which is seen when it runs.
enum class Values { each, one, either };

/// One array's values of a row. Of either sort, one value is read from copies of itself.
template <Values kValues>
class RowValues {
 public:
  RowValues(const float* row, bool alone) : all_(broadcast(*row)), from_(row), moves_(-1) {
    if (kValues != Values::either || !alone) return;
    unroll<0, 4>([&](auto i) { store(copies_ + i * kLanes, all_); });
    from_ = copies_;
    moves_ = 0;
  }

  F32 whole(std::int64_t column, int vector = 0) const {
    return kValues == Values::one ? all_ : load(from_ + (column & moves_) + vector * kLanes);
  }
  F32 first(std::int64_t column, int lanes) const {
    return kValues == Values::one ? all_ : load_first(from_ + (column & moves_), lanes);
  }

 private:
  F32 all_;
  const float* from_;
  std::int64_t moves_;
  float copies_[kValues == Values::either ? 4 * kLanes : 1];
};

template <Values A, Values B, class F>
[[gnu::always_inline]] inline void binary_rows(const BinaryWork& w, const F& f) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const RowValues<A> a(w.a + r * w.a_row, w.a_alone);
    const RowValues<B> b(w.b + r * w.b_row, w.b_alone);
    float* y = w.y + r * w.y_row;
    std::int64_t c = 0;
    // By four vectors, whose chains overlap.
    for (; c + 4 * kLanes <= w.columns; c += 4 * kLanes) {
      F32 v[4];
      unroll<0, 4>([&](auto i) { v[i] = f(a.whole(c, i), b.whole(c, i)); });
      unroll<0, 4>([&](auto i) { store(y + c + i * kLanes, v[i]); });
    }
    for (; c + kLanes <= w.columns; c += kLanes) store(y + c, f(a.whole(c), b.whole(c)));
    if (const int rest = static_cast<int>(w.columns - c); rest > 0) store_first(y + c, f(a.first(c, rest), b.first(c, rest)), rest);
  }
}

/// Not both have one value, but for rows of one column, whose loads end there.
template <class F>
[[gnu::flatten, gnu::noinline]] inline void binary_of(const BinaryWork& w, const F& f) {
  if (w.a_alone) return binary_rows<Values::one, Values::each>(w, f);
  w.b_alone ? binary_rows<Values::each, Values::one>(w, f) : binary_rows<Values::each, Values::each>(w, f);
}

/// Powers take so long that a load more is nothing: half of their code. What depends on one base alone is computed once a row.
template <class F>
[[gnu::flatten, gnu::noinline]] inline void power_of(const BinaryWork& w, const F& f) {
  w.a_alone ? binary_rows<Values::one, Values::either>(w, f) : binary_rows<Values::each, Values::either>(w, f);
}

/// y may be a or b. Clips are applied in registers; other activations follow while a block is in cache.
inline void binary(const BinaryWork& w) {
  const float lowest = epilogue_lo(w.activation), highest = epilogue_hi(w.activation);
  const F32 lo = broadcast(lowest), hi = broadcast(highest);
  switch (w.function) {
    case BinaryFunction::add:
      return binary_of(w, [=](F32 a, F32 b) { return clip(add(a, b), lo, hi); });
    case BinaryFunction::sub:
      return binary_of(w, [=](F32 a, F32 b) { return clip(sub(a, b), lo, hi); });
    case BinaryFunction::mul:
      // Squeeze-excite multiplies in place without bounds: they would be two of five instructions.
      if (lowest == -__builtin_inff() && highest == __builtin_inff()) return binary_of(w, [](F32 a, F32 b) { return mul(a, b); });
      return binary_of(w, [=](F32 a, F32 b) { return clip(mul(a, b), lo, hi); });
    case BinaryFunction::div:
      return binary_of(w, [=](F32 a, F32 b) { return clip(div(a, b), lo, hi); });
    case BinaryFunction::min:
      return binary_of(w, [=](F32 a, F32 b) { return clip(minimum(a, b), lo, hi); });
    case BinaryFunction::max:
      return binary_of(w, [=](F32 a, F32 b) { return clip(maximum(a, b), lo, hi); });
    case BinaryFunction::prelu:
      return binary_of(w, [=](F32 a, F32 b) { return clip(select_less(a, broadcast(0.0F), mul(a, b), a), lo, hi); });
    case BinaryFunction::pow:
      return power_of(w, [=](F32 a, F32 b) { return clip(power(a, b), lo, hi); });
    case BinaryFunction::elu:
      return binary_rows<Values::either, Values::either>(w, [=](F32 a, F32 b) { return clip(elu(a, b), lo, hi); });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
