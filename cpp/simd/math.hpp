// Mathematical functions on vectors. Only operations that IEEE 754 rounds once (no reciprocal estimates), so every processor gives the same
// bits. Polynomials: minimax fits of our own, each with its error in float32. NaN passes through every function.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// min(max(x, lo), hi)
[[gnu::always_inline]] inline F32 clip(F32 x, F32 lo, F32 hi) { return min_or_second(hi, max_or_second(lo, x)); }

/// 2^n for integral n in [-126, 127].
[[gnu::always_inline]] inline F32 exp2_integral(F32 n) { return reinterpret<float>(shift_left<23>(add(to_int32(n), broadcast(127)))); }

/// a 2^n for integral n in [-126, 127], rounded once.
[[gnu::always_inline]] inline F32 scaled(F32 a, F32 n) {
  if constexpr (kMasks) return times_exp2(a, n);
  return mul(a, exp2_integral(n));
}

/// c[0] + c[1] x + ... by Horner's rule.
template <int N>
[[gnu::always_inline]] inline F32 polynomial(F32 x, const float (&c)[N]) {
  F32 r = broadcast(c[N - 1]);
  unroll<0, N - 1>([&](auto i) { r = fma(r, x, broadcast(c[N - 2 - i])); });
  return r;
}

/// exp(x) = p 2^n, p near 1.
struct ScaledExp {
  F32 p, n, q;  ///< p = 1 + q
  [[gnu::always_inline]] inline explicit ScaledExp(F32 x) {
    constexpr float kTail[] = {0.49999994F, 0.166665211F, 0.041668389F, 0.00836871006F, 0.00138146128F};
    n = round(mul(x, broadcast(1.44269504F)));
    // ln 2 in two parts: the first has few enough bits for n * part to be exact.
    const F32 r = fma(n, broadcast(2.12194440e-4F), fma(n, broadcast(-0.693359375F), x));
    q = fma(mul(r, r), polynomial(r, kTail), r);
    p = add(broadcast(1.0F), q);
  }
};

/// exp(x) for x <= 0; below -87 it stays at exp(-87) = 1.6e-38. Within 2 ulp.
[[gnu::always_inline]] inline F32 exp_nonpositive(F32 x) {
  const ScaledExp e(max_or_second(broadcast(-87.0F), x));
  return scaled(e.p, e.n);
}

/// exp(x) for x <= 0, and 0 below -87.
[[gnu::always_inline]] inline F32 exp_or_zero(F32 x) { return select_less(x, broadcast(-87.0F), broadcast(0.0F), exp_nonpositive(x)); }

/// exp(x) for any x, down to 0 and up to infinity. Within 2 ulp.
[[gnu::always_inline]] inline F32 exp(F32 x) {
  const ScaledExp e(min_or_second(broadcast(89.0F), max_or_second(broadcast(-104.0F), x)));
  return times_exp2(e.p, e.n);
}

/// 1 + exp(-x) for -87 <= x <= 87. Within 2 ulp. The bits of ScaledExp(-x), in six operations less: a float of 1.5 2^23 and more holds the
/// nearest integer in its last bits, from where a shift makes it an exponent; signs are in the constants. What is added there has to be
/// even, or halves would round to odd integers: 126, and p is doubled, instead of 127.
[[gnu::always_inline]] inline F32 one_plus_exp_minus(F32 x) {
  constexpr float kTail[] = {-0.49999994F, 0.166665211F, -0.041668389F, 0.00836871006F, -0.00138146128F};
  const F32 last_bits = broadcast(12582912.0F + 126.0F), two = broadcast(2.0F);
  const F32 t = add(mul(x, broadcast(-1.44269504F)), last_bits);
  const F32 n = sub(t, last_bits);
  const F32 r = fma(n, broadcast(-2.12194440e-4F), fma(n, broadcast(0.693359375F), x));
  const F32 q = fma(mul(r, r), polynomial(r, kTail), r);
  return fma(fma(q, broadcast(-2.0F), two), reinterpret<float>(shift_left<23>(reinterpret<std::int32_t>(t))), broadcast(1.0F));
}

/// 1 / (1 + exp(-x)), within 3 ulp; below -87 it stays at 1.6e-38. By |x|, without the large quotient, it took a quarter longer.
[[gnu::always_inline]] inline F32 sigmoid(F32 x) {
  const F32 bounded = min_or_second(broadcast(87.0F), max_or_second(broadcast(-87.0F), x));
  return div(broadcast(1.0F), one_plus_exp_minus(bounded));
}

/// Odd polynomial near 0, 1 - 2 / (1 + exp(2 |x|)) beyond 0.625. Within 2 ulp. A quotient of two polynomials takes 0.56 of the time (AMD
/// EPYC, Zen 3, AVX2, 2026-11-30), and is off by 4.6 ulp.
[[gnu::always_inline]] inline F32 tanh(F32 x) {
  constexpr float kOdd[] = {-0.333332837F, 0.133314908F, -0.0537434965F, 0.0206505861F, -0.00571704423F};
  constexpr float kExp2[] = {1.00000012F, 0.693147242F, 0.240219921F, 0.0555029549F, 0.00968042854F, 0.00134138949F};
  const F32 t = min_or_second(broadcast(10.0F), abs(x)), square = mul(t, t);
  const F32 near = fma(mul(square, t), polynomial(square, kOdd), t);
  const F32 last_bits = broadcast(12582912.0F + 127.0F), two_by_ln2 = broadcast(2.88539008F);
  const F32 sum = fma(t, two_by_ln2, last_bits);  // as in one_plus_exp_minus
  const F32 part = fma(t, two_by_ln2, sub(last_bits, sum));
  const F32 power = reinterpret<float>(shift_left<23>(reinterpret<std::int32_t>(sum)));
  const F32 far = sub(broadcast(1.0F), div(broadcast(2.0F), fma(power, polynomial(part, kExp2), broadcast(1.0F))));
  return copy_sign(select_less(t, broadcast(0.625F), near, far), x);
}

/// Phi(-t) for 0 <= t <= 13, Phi the normal distribution function: exp(-t^2 / 2) R(t), with R a polynomial in 1 / (1 + 0.28 t), relative
/// error 4e-7 in float32. The rounding error of t^2 is corrected to first order.
[[gnu::always_inline]] inline F32 normal_tail(F32 t) {
  constexpr float kMills[] = {0.111684809F,  0.112035611F,  0.100646514F,   0.0931629330F, 0.0507669721F,
                              0.0243856445F, 0.0667353057F, -0.0819152444F, 0.0224974807F};
  const F32 square = mul(t, t);
  const F32 lost = fma(t, t, sub(broadcast(0.0F), square));
  const F32 e = exp_nonpositive(mul(broadcast(-0.5F), square));
  const F32 density = fma(e, mul(broadcast(-0.5F), lost), e);
  const F32 u = div(broadcast(1.0F), fma(t, broadcast(0.28F), broadcast(1.0F)));
  return mul(density, mul(u, polynomial(u, kMills)));
}

/// Odd polynomial near 0; 1 - 2^g(t) beyond 0.75, where 2^g(t) = 1 - erf(t). Within 2 ulp. From 3.95 on it is 1.
[[gnu::always_inline]] inline F32 erf(F32 x) {
  constexpr float kOdd[] = {0.128379166F, -0.3761262F, 0.11283379F, -0.0268343352F, 0.00511315698F, -0.00067375839F};
  constexpr float kTail[] = {-4.23400379e-05F, -1.62793005F, -0.91743356F, -0.151612073F, 0.032903932F, -0.00460828468F, 0.000305654627F};
  constexpr float kMinusExp2[] = {-1.00000012F, -0.693147242F, -0.240219921F, -0.0555029549F, -0.00968042854F, -0.00134138949F};
  const F32 t = min_or_second(broadcast(3.95F), abs(x));
  const F32 near = fma(t, polynomial(mul(t, t), kOdd), t);
  const F32 g = polynomial(t, kTail), last_bits = broadcast(12582912.0F + 127.0F);
  const F32 sum = add(g, last_bits);  // as in one_plus_exp_minus
  const F32 part = sub(g, sub(sum, last_bits));
  const F32 power = reinterpret<float>(shift_left<23>(reinterpret<std::int32_t>(sum)));
  const F32 far = fma(power, polynomial(part, kMinusExp2), broadcast(1.0F));
  return copy_sign(select_less(t, broadcast(0.75F), near, far), x);
}

/// f rounds to integers within int32: larger floats are integers already. Keeps the sign of 0.
template <class F>
[[gnu::always_inline]] inline F32 whole(F32 x, const F& f) {
  return copy_sign(select_less(abs(x), broadcast(8388608.0F), f(x), x), x);
}
[[gnu::always_inline]] inline F32 floor(F32 x) {
  return whole(x, [](F32 v) { return select_less(v, round(v), sub(round(v), broadcast(1.0F)), round(v)); });
}
[[gnu::always_inline]] inline F32 ceil(F32 x) {
  return whole(x, [](F32 v) { return select_less(round(v), v, add(round(v), broadcast(1.0F)), round(v)); });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
