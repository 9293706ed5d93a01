// Binary functions of two arrays; either may broadcast one value to all columns of a row.
#pragma once

#include <algorithm>

#include "kernels/elementwise/functions.hpp"
#include "kernels/elementwise/map.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// `Either`: b may be alone too, and is then read from copies of its value.
template <bool AAlone, bool BAlone, bool Either = false, class F>
[[gnu::always_inline]] inline void binary_rows(const BinaryWork& w, const F& f) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const float* a = w.a + r * w.a_row;
    const float* b = w.b + r * w.b_row;
    float* y = w.y + r * w.y_row;
    const F32 a_all = broadcast(*a), b_all = broadcast(*b);
    std::int64_t moves = -1;
    float copies[Either ? 4 * kLanes : 1];
    if constexpr (Either) {
      if (w.b_alone) {
        unroll<0, 4>([&](auto i) { store(copies + i * kLanes, b_all); });
        b = copies;
        moves = 0;
      }
    }
    std::int64_t c = 0;
    // By four vectors, whose chains overlap.
    for (; c + 4 * kLanes <= w.columns; c += 4 * kLanes) {
      F32 v[4];
      unroll<0, 4>(
          [&](auto i) { v[i] = f(AAlone ? a_all : load(a + c + i * kLanes), BAlone ? b_all : load(b + (c & moves) + i * kLanes)); });
      unroll<0, 4>([&](auto i) { store(y + c + i * kLanes, v[i]); });
    }
    for (; c + kLanes <= w.columns; c += kLanes) {
      store(y + c, f(AAlone ? a_all : load(a + c), BAlone ? b_all : load(b + (c & moves))));
    }
    if (const int rest = static_cast<int>(w.columns - c); rest > 0) {
      const F32 last_b = BAlone ? b_all : load_first(b + (c & moves), rest);
      store_first(y + c, f(AAlone ? a_all : load_first(a + c, rest), last_b), rest);
    }
  }
}

/// Both are alone in rows of one column only, which is all that is loaded of them. f is a copy, or its bounds would be read again after
/// each store.
template <class F>
[[gnu::flatten, gnu::noinline]] inline void binary_of(const BinaryWork& w, F f) {
  if (w.a_alone) return binary_rows<true, false>(w, f);
  w.b_alone ? binary_rows<false, true>(w, f) : binary_rows<false, false>(w, f);
}

/// Of functions that take so long that a load more is nothing: less than half of the code.
template <class F>
[[gnu::flatten, gnu::noinline]] inline void slow_binary_of(const BinaryWork& w, F f) {
  w.a_alone ? binary_rows<true, false, true>(w, f) : binary_rows<false, false, true>(w, f);
}

inline void binary(const BinaryWork& w);

/// Rows of two values that are alone, as of expanded arrays: one function value each, which fills its row.
inline void binary_of_two(const BinaryWork& w) {
  BinaryWork one = w;
  one.rows = one.columns = 1;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    binary(one);
    std::fill_n(one.y + 1, w.columns - 1, *one.y);
    one.a += w.a_row;
    one.b += w.b_row;
    one.y += w.y_row;
  }
}

/// y may be a or b. Clips are applied in registers; other activations follow while a block is in cache.
inline void binary(const BinaryWork& w) {
  if (w.a_alone && w.b_alone && w.columns > 1) return binary_of_two(w);
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
      return slow_binary_of(w, [=](F32 a, F32 b) { return clip(power(a, b), lo, hi); });
    case BinaryFunction::elu:
      return slow_binary_of(w, [=](F32 a, F32 b) { return clip(elu(a, b), lo, hi); });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
