// Activations on vectors, one function for each kind. NaN passes through every one.
#pragma once

#include "dwsep/options.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// x sigmoid(x) in one division. Below -87 it stays at -1.4e-36: -inf gives that and not NaN.
[[gnu::always_inline]] inline F32 silu(F32 x) {
  x = max_or_second(broadcast(-87.0F), x);
  return div(x, one_plus_exp_minus(min_or_second(broadcast(87.0F), x)));
}

/// clip(x / 6 + 1/2, 0, 1)
[[gnu::always_inline]] inline F32 hard_sigmoid(F32 x) {
  const F32 y = fma(x, broadcast(1.0F / 6.0F), broadcast(0.5F));
  return min_or_second(broadcast(1.0F), max_or_second(broadcast(0.0F), y));
}

/// x hard_sigmoid(x). Below -3 all is 0, -inf too.
[[gnu::always_inline]] inline F32 hard_swish(F32 x) { return mul(max_or_second(broadcast(-3.0F), x), hard_sigmoid(x)); }

/// x Phi(x)
[[gnu::always_inline]] inline F32 gelu(F32 x) {
  x = max_or_second(broadcast(-13.0F), x);
  const F32 tail = normal_tail(min_or_second(broadcast(13.0F), abs(x)));
  return mul(x, select_less(x, broadcast(0.0F), tail, sub(broadcast(1.0F), tail)));
}

/// Calls f with the activation as a function on vectors.
template <class F>
[[gnu::always_inline]] inline void with_activation(const Activation& a, const F& f) {
  const F32 lo = broadcast(a.lo), hi = broadcast(a.hi);
  switch (a.kind) {
    case ActivationKind::clip:
      return f([&](F32 v) { return clip(v, lo, hi); });
    case ActivationKind::leaky_relu:
      return f([&](F32 v) { return select_less(v, broadcast(0.0F), mul(lo, v), v); });
    case ActivationKind::hard_swish:
      return f([](F32 v) { return hard_swish(v); });
    case ActivationKind::hard_sigmoid:
      return f([](F32 v) { return hard_sigmoid(v); });
    case ActivationKind::sigmoid:
      return f([](F32 v) { return sigmoid(v); });
    case ActivationKind::silu:
      return f([](F32 v) { return silu(v); });
    case ActivationKind::tanh:
      return f([](F32 v) { return tanh(v); });
    case ActivationKind::gelu:
      return f([](F32 v) { return gelu(v); });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
