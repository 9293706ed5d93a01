// Any activation, from one place to another.
#pragma once

#include "kernels/tensor_work.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Calls f with the activation as a function on vectors.
template <class F>
[[gnu::always_inline]] inline void with_activation(const Activation& a, const F& f) {
  const Vec lo = broadcast(a.lo), hi = broadcast(a.hi);
  switch (a.kind) {
    case ActivationKind::clip:
      return f([&](Vec v) { return clip(v, lo, hi); });
    case ActivationKind::leaky_relu:
      return f([&](Vec v) { return select_less(v, broadcast(0.0F), mul(lo, v), v); });
    case ActivationKind::hard_swish:
      return f([](Vec v) { return hard_swish(v); });
    case ActivationKind::hard_sigmoid:
      return f([](Vec v) { return hard_sigmoid(v); });
    case ActivationKind::sigmoid:
      return f([](Vec v) { return sigmoid(v); });
    case ActivationKind::silu:
      return f([](Vec v) { return silu(v); });
    case ActivationKind::tanh:
      return f([](Vec v) { return tanh(v); });
    case ActivationKind::gelu:
      return f([](Vec v) { return gelu(v); });
  }
}

/// y = f(x), for a work that says where x and y are.
template <class Work, class F>
[[gnu::always_inline]] inline void map_rows(const Work& w, const F& f) {
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const float* x = w.x + r * w.x_row;
    float* y = w.y + r * w.y_row;
    std::int64_t c = 0;
    for (; c + kLanes <= w.columns; c += kLanes) store(y + c, f(load(x + c)));
    if (const int rest = static_cast<int>(w.columns - c); rest > 0) store_first(y + c, f(load_first(x + c, rest)), rest);
  }
}

[[gnu::flatten]] inline void map(const MapWork& w) {
  with_activation(w.activation, [&](const auto& f) { map_rows(w, f); });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
