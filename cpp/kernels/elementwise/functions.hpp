// Functions of one element that are composed of those of simd/.
#pragma once

#include "simd/log.hpp"
#include "simd/power.hpp"
#include "simd/trigonometry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// -1, 0 of either sign, or 1; NaN stays.
[[gnu::always_inline]] inline F32 sign(F32 x) {
  const F32 zero = broadcast(0.0F);
  return select_less(x, zero, broadcast(-1.0F), select_less(zero, x, broadcast(1.0F), x));
}

/// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), within 2 ulp.
[[gnu::always_inline]] inline F32 softplus(F32 x) {
  return add(max_or_second(broadcast(0.0F), x), log1p_of_unit(exp(sub(broadcast(0.0F), abs(x)))));
}

/// exp(x) - 1 for x <= 0, within 1.5 ulp: (2^n - 1) + 2^n q with exp(x) = (1 + q) 2^n.
[[gnu::always_inline]] inline F32 expm1_nonpositive(F32 x) {
  const ScaledExp e(max_or_second(broadcast(-87.0F), x));
  const F32 power = exp2_integral(e.n);
  return fma(e.q, power, sub(power, broadcast(1.0F)));
}

/// x where x >= 0, else alpha (exp(x) - 1).
[[gnu::always_inline]] inline F32 elu(F32 x, F32 alpha) {
  const F32 zero = broadcast(0.0F);
  return select_less(x, zero, mul(alpha, expm1_nonpositive(min_or_second(zero, x))), x);
}

/// gamma elu(x, alpha) with the numbers of G. Klambauer et al., "Self-Normalizing Neural Networks", 2017.
[[gnu::always_inline]] inline F32 selu(F32 x) {
  constexpr float kAlpha = 1.67326324F, kGamma = 1.05070099F;
  const F32 zero = broadcast(0.0F);
  return select_less(x, zero, mul(broadcast(kAlpha * kGamma), expm1_nonpositive(min_or_second(zero, x))), mul(broadcast(kGamma), x));
}

/// x tanh(softplus(x)) = x n (n + 2) / (n (n + 2) + 2), n = exp(x), within 3 ulp. -inf gives -0.
[[gnu::always_inline]] inline F32 mish(F32 x) {
  const F32 two = broadcast(2.0F), lower = max_or_second(broadcast(-110.0F), x);
  const ScaledExp e(min_or_second(broadcast(20.0F), lower));
  const F32 n = times_exp2(e.p, e.n), more = add(n, two);
  const F32 y = times_exp2(mul(mul(lower, e.p), div(more, fma(n, more, two))), e.n);
  return select_less(broadcast(19.0F), x, x, y);
}

/// x / (1 + |x|)
[[gnu::always_inline]] inline F32 softsign(F32 x) { return div(x, add(broadcast(1.0F), abs(x))); }

/// x / 2 (1 + tanh(u / 2)) = x / (1 + exp(-u)), u = sqrt(8 / pi) (x + 0.044715 x^3), within (4 + 2.5 |u|) ulp: what u is off grows
/// with it. -0 below -9.98, where it is above -2e-37.
[[gnu::always_inline]] inline F32 gelu_tanh(F32 x) {
  const F32 least = broadcast(-9.98F), bounded = min_or_second(broadcast(9.98F), max_or_second(least, x));
  const F32 u = mul(bounded, fma(mul(bounded, bounded), broadcast(0.0713548163F), broadcast(1.59576912F)));
  return select_less(x, least, broadcast(-0.0F), div(x, one_plus_exp_minus(u)));
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
