// Powers on vectors, by the rules of math.hpp. The logarithm of the base has some 40 bits, in two floats: the exponent magnifies its error.
#pragma once

#include "simd/log.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The sum of two floats, the second about a rounding error of the first.
struct Pair {
  F32 high, low;
};

/// a b as a pair. Without fused multiply-adds by halves of the significands (T. J. Dekker, 1971).
[[gnu::always_inline]] inline Pair product(F32 a, F32 b) {
  const F32 high = mul(a, b), minus = sub(broadcast(0.0F), high);
  if constexpr (kFusedMultiplyAdd) return {high, fma(a, b, minus)};
  const auto upper = [](F32 v) {
    const F32 big = mul(v, broadcast(4097.0F));
    return sub(big, sub(big, v));
  };
  const F32 a1 = upper(a), b1 = upper(b), a2 = sub(a, a1), b2 = sub(b, b1);
  return {high, add(mul(a2, b2), add(mul(a1, b2), add(mul(a2, b1), add(mul(a1, b1), minus))))};
}

/// a + b as a pair, |a| >= |b| or a = 0.
[[gnu::always_inline]] inline Pair sum_of_larger(F32 a, F32 b) {
  const F32 high = add(a, b);
  return {high, sub(b, sub(high, a))};
}

/// log2(m 2^e): of s = (m - 1) / (m + 1) it is e + s (c0 + c1 s^2 + ...), the first two terms in pairs.
[[gnu::always_inline]] inline Pair log2_pair(F32 m, F32 e) {
  constexpr float kRest[] = {0.577077985F, 0.412205935F, 0.320011795F, 0.281711966F};
  const F32 f = sub(m, broadcast(1.0F));
  const Pair d = sum_of_larger(broadcast(2.0F), f);
  const F32 inverse = div(broadcast(1.0F), d.high);
  // The rest of the division gives the low part of s.
  const F32 s = mul(f, inverse);
  const Pair back = product(s, d.high);
  const F32 s_low = mul(inverse, sub(sub(sub(f, back.high), back.low), mul(s, d.low)));
  const Pair square = product(s, s);
  const F32 square_low = fma(mul(broadcast(2.0F), s), s_low, square.low);
  const Pair second = product(square.high, broadcast(0.961796701F));
  const F32 rest = fma(square.high, polynomial(square.high, kRest), broadcast(-7.02846181e-9F));
  const F32 second_low = fma(square.high, rest, fma(square_low, broadcast(0.961796701F), second.low));
  Pair factor = sum_of_larger(broadcast(2.88539004F), second.high);
  factor.low = add(factor.low, add(second_low, broadcast(3.85192607e-8F)));
  Pair y = product(s, factor.high);
  y.low = add(y.low, fma(s, factor.low, mul(s_low, factor.high)));
  const Pair all = sum_of_larger(e, y.high);
  return {all.high, add(all.low, y.low)};
}

/// 2^(l y)
[[gnu::always_inline]] inline F32 exp2_of_product(const Pair& l, F32 y) {
  constexpr float kExp2[] = {1.0F, 0.693147182F, 0.240226507F, 0.0555035919F, 0.00961806159F, 0.00133912021F, 0.000154633017F};
  // Beyond 2^40 only the sign counts, as at infinity: not even 1 - 2^-24 has a power that is neither 0 nor infinity.
  y = clip(y, broadcast(-1.09951163e12F), broadcast(1.09951163e12F));
  const Pair p = product(l.high, y);
  const F32 low = clip(fma(l.low, y, p.low), broadcast(-1.0F), broadcast(1.0F));
  const F32 high = clip(p.high, broadcast(-160.0F), broadcast(136.0F));
  const F32 n = round(high);
  return times_exp2(polynomial(add(sub(high, n), low), kExp2), n);
}

/// x^0 = 1^y = 1, whatever the other is.
[[gnu::always_inline]] inline F32 power_or_one(F32 x, F32 y, F32 power) {
  const F32 smallest = broadcast(kSmallest), one = broadcast(1.0F);
  return select_less(abs(y), smallest, one, select_less(abs(sub(x, one)), smallest, one, power));
}

/// As IEEE 754 has it for bases that are zero, subnormal, infinite or negative.
[[gnu::noinline]] inline void power_of_any(const F32* base, const F32* exponent, F32* power) {
  const F32 x = *base, zero = broadcast(0.0F), one = broadcast(1.0F), infinity = broadcast(__builtin_inff());
  const F32 y = clip(*exponent, broadcast(-1.09951163e12F), broadcast(1.09951163e12F));
  const F32 t = abs(x), small = broadcast(kSmallestNormal);
  const Scaled s(select_less(t, small, mul(t, broadcast(8388608.0F)), t));
  const F32 e = add(to_float(s.e), select_less(t, small, broadcast(-23.0F), zero));
  F32 r = exp2_of_product(log2_pair(s.m, e), y);
  // 0 and infinity: the result is the same or the other.
  r = select_less(t, broadcast(kSmallest), select_less(y, zero, infinity, zero), r);
  r = select_less(broadcast(kLargest), t, select_less(y, zero, zero, infinity), r);
  // Negative, -0 too: an integer is odd if its half is none.
  const auto distance = [](F32 v) { return abs(sub(v, whole(v, [](F32 u) { return round(u); }))); };
  const F32 odd = select_less(zero, distance(mul(y, broadcast(0.5F))), broadcast(-1.0F), one);
  const F32 fraction = distance(y);
  const F32 of_negative = select_less(x, zero, broadcast(__builtin_nanf("")), r);
  const F32 with_sign = select_less(zero, fraction, select_less(broadcast(kLargest), t, r, of_negative), mul(odd, r));
  r = select_less(copy_sign(one, x), zero, with_sign, r);
  // A NaN passes: x may be one, y in the product.
  r = select_less(t, infinity, r, select_less(broadcast(kLargest), t, r, x));
  *power = power_or_one(x, y, select_less(abs(y), infinity, r, y));
}

/// x^y, within 1.5 ulp.
[[gnu::always_inline]] inline F32 power(F32 x, F32 y) {
  // As integers: NaNs and negative numbers are not among the positive normal ones either.
  const auto bits = [](F32 v) { return reinterpret<std::int32_t>(v); };
  if (any_less(bits(x), bits(broadcast(kSmallestNormal))) || any_less(bits(broadcast(kLargest)), bits(x))) {
    power_of_any(&x, &y, &x);
    return x;
  }
  const Scaled s(x);
  return power_or_one(x, y, exp2_of_product(log2_pair(s.m, to_float(s.e)), y));
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
