// Logarithms on vectors, by the rules of math.hpp. Polynomials: tools/minimax.py.
#pragma once

#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr float kSmallestNormal = 1.17549435e-38F, kLargest = 3.40282347e38F, kSmallest = 1.40129846e-45F;

// ln 2 in two parts: the first has few enough bits for its products with exponents to be exact.
constexpr float kLn2High = 0.693359375F, kLn2Low = -0.000212194442F;

/// x = m 2^e, m in [sqrt(1/2), sqrt(2)), for positive normal x.
struct Scaled {
  F32 m;
  I32 e;
  [[gnu::always_inline]] inline explicit Scaled(F32 x) {
    const I32 bits = reinterpret<std::int32_t>(x);
    e = shift_right<23>(sub(bits, reinterpret<std::int32_t>(broadcast(0.707106781F))));
    m = reinterpret<float>(sub(bits, shift_left<23>(e)));
  }
};

/// log(1 + f) - f, where 1 + f is near 1 and `c` are the coefficients of (log(1 + f) - f + f^2 / 2) / f^3.
template <int N>
[[gnu::always_inline]] inline F32 log_tail(F32 f, const float (&c)[N]) {
  const F32 square = mul(f, f);
  return fma(square, broadcast(-0.5F), mul(mul(square, f), polynomial(f, c)));
}

/// Within 1.1 ulp, subnormals too.
[[gnu::always_inline]] inline F32 log(F32 x) {
  constexpr float kTail[] = {0.333333164F, -0.250008106F, 0.200023055F, -0.166245624F,
                             0.141808242F, -0.131283224F, 0.128837883F, -0.0786324218F};
  const F32 zero = broadcast(0.0F), smallest = broadcast(kSmallestNormal);
  const Scaled s(select_less(x, smallest, mul(x, broadcast(8388608.0F)), x));
  const F32 e = add(to_float(s.e), select_less(x, smallest, broadcast(-23.0F), zero));
  const F32 f = sub(s.m, broadcast(1.0F));
  const F32 y = fma(e, broadcast(kLn2High), add(f, fma(e, broadcast(kLn2Low), log_tail(f, kTail))));
  const F32 below = select_less(abs(x), broadcast(kSmallest), broadcast(-__builtin_inff()), broadcast(__builtin_nanf("")));
  const F32 finite = select_less(x, broadcast(__builtin_inff()), y, x);
  return select_less(x, broadcast(kSmallest), below, finite);
}

/// log(1 + u) for 0 <= u <= 1. Within 1.1 ulp.
[[gnu::always_inline]] inline F32 log1p_of_unit(F32 u) {
  constexpr float kTail[] = {0.333334476F, -0.250001937F, 0.199911132F, -0.16643776F,
                             0.144674674F, -0.131863832F, 0.105830498F, -0.0461757965F};
  // From 1/2 on by 2 (1 + f), where f is exact as well.
  const F32 half = broadcast(0.5F), zero = broadcast(0.0F);
  const F32 f = select_less(u, half, u, mul(sub(u, broadcast(1.0F)), half));
  const F32 y = add(f, add(log_tail(f, kTail), select_less(u, half, zero, broadcast(kLn2Low))));
  return add(y, select_less(u, half, zero, broadcast(kLn2High)));
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
