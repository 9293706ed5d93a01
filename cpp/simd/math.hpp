// Activations on vectors. Only operations that IEEE 754 rounds once (no reciprocal estimates), so every processor gives the same bits.
// Polynomials: minimax fits of our own; the error each leaves in float32 stands beside it. NaN passes through every function.
#pragma once

#include "dwsep/options.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// c[0] + c[1] x + ... by Horner's rule.
template <int N>
[[gnu::always_inline]] inline Vec polynomial(Vec x, const float (&c)[N]) {
  Vec r = broadcast(c[N - 1]);
  unroll<0, N - 1>([&](auto i) { r = fma(r, x, broadcast(c[N - 2 - i])); });
  return r;
}

/// exp(x) = p 2^n, p near 1.
struct ScaledExp {
  Vec p, n;
  [[gnu::always_inline]] inline explicit ScaledExp(Vec x) {
    constexpr float kTail[] = {0.49999994F, 0.166665211F, 0.041668389F, 0.00836871006F, 0.00138146128F};
    n = round(mul(x, broadcast(1.44269504F)));
    // ln 2 in two parts: the first has few enough bits for n * part to be exact.
    const Vec r = fma(n, broadcast(2.12194440e-4F), fma(n, broadcast(-0.693359375F), x));
    p = add(broadcast(1.0F), fma(mul(r, r), polynomial(r, kTail), r));
  }
};

/// exp(x) for x <= 0; below -87 it stays at exp(-87) = 1.6e-38. Within 2 ulp.
[[gnu::always_inline]] inline Vec exp_nonpositive(Vec x) {
  const ScaledExp e(max_or_second(broadcast(-87.0F), x));
  return mul(e.p, exp2_integral(e.n));
}

/// exp(x) for x <= 0, and 0 below -87.
[[gnu::always_inline]] inline Vec exp_or_zero(Vec x) { return select_less(x, broadcast(-87.0F), broadcast(0.0F), exp_nonpositive(x)); }

/// exp(x) for any x, down to 0 and up to infinity. Within 2 ulp.
[[gnu::always_inline]] inline Vec exp(Vec x) {
  const ScaledExp e(min_or_second(broadcast(89.0F), max_or_second(broadcast(-104.0F), x)));
  // In two steps, because 2^n need not be a number: n lies between -150 and 128.
  const Vec half = round(mul(e.n, broadcast(0.5F)));
  return mul(mul(e.p, exp2_integral(half)), exp2_integral(sub(e.n, half)));
}

/// 1 + exp(-x) for -87 <= x <= 87. Within 2 ulp.
[[gnu::always_inline]] inline Vec one_plus_exp_minus(Vec x) {
  const ScaledExp e(sub(broadcast(0.0F), x));
  return fma(e.p, exp2_integral(e.n), broadcast(1.0F));
}

/// 1 / (1 + exp(-x)), within 3 ulp; below -87 it stays at 1.6e-38. By |x|, without the large quotient, it took a quarter longer.
[[gnu::always_inline]] inline Vec sigmoid(Vec x) {
  const Vec bounded = min_or_second(broadcast(87.0F), max_or_second(broadcast(-87.0F), x));
  return div(broadcast(1.0F), one_plus_exp_minus(bounded));
}

/// x sigmoid(x) in one division. Below -87 it stays at -1.4e-36: -inf gives that and not NaN.
[[gnu::always_inline]] inline Vec silu(Vec x) {
  x = max_or_second(broadcast(-87.0F), x);
  return div(x, one_plus_exp_minus(min_or_second(broadcast(87.0F), x)));
}

/// clip(x / 6 + 1/2, 0, 1)
[[gnu::always_inline]] inline Vec hard_sigmoid(Vec x) {
  const Vec y = fma(x, broadcast(1.0F / 6.0F), broadcast(0.5F));
  return min_or_second(broadcast(1.0F), max_or_second(broadcast(0.0F), y));
}

/// x hard_sigmoid(x). Below -3 all is 0, -inf too.
[[gnu::always_inline]] inline Vec hard_swish(Vec x) { return mul(max_or_second(broadcast(-3.0F), x), hard_sigmoid(x)); }

/// Odd polynomial near 0, where 1 - e would cancel; (1 - e) / (1 + e), e = exp(-2|x|), beyond 0.625. Within 4 ulp.
[[gnu::always_inline]] inline Vec tanh(Vec x) {
  constexpr float kOdd[] = {-0.333332837F, 0.133314908F, -0.0537434965F, 0.0206505861F, -0.00571704423F};
  const Vec t = abs(x);
  const Vec square = mul(t, t);
  const Vec near = fma(mul(square, t), polynomial(square, kOdd), t);
  const Vec e = exp_nonpositive(mul(broadcast(-2.0F), t));
  const Vec far = div(sub(broadcast(1.0F), e), add(broadcast(1.0F), e));
  return copy_sign(select_less(t, broadcast(0.625F), near, far), x);
}

/// Phi(-t) for 0 <= t <= 13, Phi the normal distribution function: exp(-t^2 / 2) R(t), with R a polynomial in 1 / (1 + 0.28 t), relative
/// error 4e-7 in float32. What t^2 loses by rounding is put back to first order.
[[gnu::always_inline]] inline Vec normal_tail(Vec t) {
  constexpr float kMills[] = {0.111684809F,  0.112035611F,  0.100646514F,   0.0931629330F, 0.0507669721F,
                              0.0243856445F, 0.0667353057F, -0.0819152444F, 0.0224974807F};
  const Vec square = mul(t, t);
  const Vec lost = fma(t, t, sub(broadcast(0.0F), square));
  const Vec e = exp_nonpositive(mul(broadcast(-0.5F), square));
  const Vec density = fma(e, mul(broadcast(-0.5F), lost), e);
  const Vec u = div(broadcast(1.0F), fma(t, broadcast(0.28F), broadcast(1.0F)));
  return mul(density, mul(u, polynomial(u, kMills)));
}

/// x Phi(x)
[[gnu::always_inline]] inline Vec gelu(Vec x) {
  x = max_or_second(broadcast(-13.0F), x);
  const Vec tail = normal_tail(min_or_second(broadcast(13.0F), abs(x)));
  return mul(x, select_less(x, broadcast(0.0F), tail, sub(broadcast(1.0F), tail)));
}

/// 2 Phi(sqrt(2) x) - 1; near 0 an odd polynomial instead. Within 4 ulp.
[[gnu::always_inline]] inline Vec erf(Vec x) {
  constexpr float kOdd[] = {0.128379166F, -0.376126200F, 0.112833768F, -0.0268346239F, 0.00511434581F, -0.000674951356F};
  const Vec t = min_or_second(broadcast(9.0F), abs(x));
  const Vec near = fma(t, polynomial(mul(t, t), kOdd), t);
  const Vec far = fma(broadcast(-2.0F), normal_tail(mul(broadcast(1.41421356F), t)), broadcast(1.0F));
  return copy_sign(select_less(t, broadcast(0.75F), near, far), x);
}

/// f rounds to whole numbers, those that a vector can hold: larger ones are whole already. Keeps the sign of 0.
template <class F>
[[gnu::always_inline]] inline Vec whole(Vec x, const F& f) {
  return copy_sign(select_less(abs(x), broadcast(8388608.0F), f(x), x), x);
}
[[gnu::always_inline]] inline Vec floor(Vec x) {
  return whole(x, [](Vec v) { return select_less(v, round(v), sub(round(v), broadcast(1.0F)), round(v)); });
}
[[gnu::always_inline]] inline Vec ceil(Vec x) {
  return whole(x, [](Vec v) { return select_less(round(v), v, add(round(v), broadcast(1.0F)), round(v)); });
}

[[gnu::always_inline]] inline Vec clip(Vec x, Vec lo, Vec hi) { return min_or_second(hi, max_or_second(lo, x)); }

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

/// y[row][column] = f(x[row][column]); x and y may be the same.
template <class F>
[[gnu::always_inline]] inline void map_block(const float* x, std::int64_t x_row, float* y, std::int64_t y_row, std::int64_t rows,
                                             std::int64_t columns, const F& f) {
  for (std::int64_t r = 0; r < rows; ++r, x += x_row, y += y_row) {
    std::int64_t c = 0;
    for (; c + kLanes <= columns; c += kLanes) store(y + c, f(load(x + c)));
    if (const int rest = static_cast<int>(columns - c); rest > 0) store_first(y + c, f(load_first(x + c, rest)), rest);
  }
}

/// Applies any activation in place to a block that was just written and is still in cache. Clips are cheap enough for registers: the
/// micro-kernels do those themselves. For the others a second look costs a load and a store beside some twenty operations.
[[gnu::flatten, gnu::noinline]] inline void activate_block(float* y, std::int64_t rows, std::int64_t row_stride, std::int64_t columns,
                                                           const Activation& a) {
  with_activation(a, [&](const auto& f) { map_block(y, row_stride, y, row_stride, rows, columns, f); });
}

/// The bounds that a micro-kernel clips to: none where activate_block follows.
[[gnu::always_inline]] inline float epilogue_lo(const Activation& a) { return a.kind == ActivationKind::clip ? a.lo : -__builtin_inff(); }
[[gnu::always_inline]] inline float epilogue_hi(const Activation& a) { return a.kind == ActivationKind::clip ? a.hi : __builtin_inff(); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
