// Sines and cosines of arguments of any size, by the rules of math.hpp. Polynomials: tools/minimax.py.
#pragma once

#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// x = r + quadrant pi / 2, |r| at most about pi / 4.
struct Angle {
  F32 r, quadrant;  ///< the quadrant as a float, exact
};

/// One positive number of any size, by integers: of the bits of 2 / pi those that make whole turns are left out, and the next 96
/// multiplied.
inline void reduce_large_angle(float x, float* r, float* quadrant) {
  // 32 zeros, and the first 224 bits of 2 / pi.
  constexpr std::uint32_t kBits[] = {0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  *quadrant = 0;
  *r = x - x;  // NaN of infinity and NaN
  if (bits >= 0x7f800000U) return;
  const int exponent = static_cast<int>(bits >> 23) - 150;
  const std::uint64_t significand = (bits & 0x7fffffU) | 0x800000U;
  const int first = exponent - 2 + 32, word = first / 32, shift = first % 32;
  const auto window = [&](int i) -> std::uint64_t {
    const std::uint64_t two = std::uint64_t{kBits[word + i]} << 32 | (word + i + 1 < 8 ? kBits[word + i + 1] : 0U);
    return two << shift >> 32;
  };
  // Turns of 2 pi in units of 2^-64, modulo 1.
  const std::uint64_t turns = (significand * window(0) << 32) + significand * window(1) + (significand * window(2) >> 32);
  const std::uint64_t nearest = (turns + (std::uint64_t{1} << 61)) >> 62;
  const auto rest = static_cast<std::int64_t>(turns - (nearest << 62));
  *quadrant = static_cast<float>(nearest);
  *r = static_cast<float>(static_cast<double>(rest) * (1.5707963267948966 / 4611686018427387904.0));
}

/// The lanes of `a` beyond `limit`, one by one. Apart, for they are rare.
[[gnu::noinline, gnu::cold]] inline void reduce_large_angles(const F32* x, float limit, Angle* a) {
  float lanes[kLanes], r[kLanes], quadrant[kLanes];
  store(lanes, *x);
  store(r, a->r);
  store(quadrant, a->quadrant);
  for (int i = 0; i < kLanes; ++i) {
    if (!(lanes[i] <= limit)) reduce_large_angle(lanes[i], r + i, quadrant + i);
  }
  a->r = load(r);
  a->quadrant = load(quadrant);
}

/// Of x >= 0. pi / 2 is subtracted in parts. With fused multiply-adds these are floats, and good for x up to 2^16; without, they have few
/// enough bits for their products to be exact, and are good up to 2^9.
[[gnu::always_inline]] inline Angle reduce_angle(F32 x) {
  constexpr float kLimit = kFusedMultiplyAdd ? 65536.0F : 512.0F;
  constexpr float kFused[] = {1.57079637F, -4.37113883e-8F, -1.71512451e-15F};
  constexpr float kShort[] = {1.57073975F, 5.65797091e-5F, 9.92088189e-10F, 5.39030295e-15F};
  Angle a{x, round(mul(min_or_second(broadcast(kLimit), x), broadcast(0.636619772F)))};
  if constexpr (kFusedMultiplyAdd) {
    unroll<0, 3>([&](auto i) { a.r = fma(a.quadrant, broadcast(-kFused[i]), a.r); });
  } else {
    unroll<0, 4>([&](auto i) { a.r = fma(a.quadrant, broadcast(-kShort[i]), a.r); });
  }
  if (any_less(reinterpret<std::int32_t>(broadcast(kLimit)), reinterpret<std::int32_t>(x))) reduce_large_angles(&x, kLimit, &a);
  return a;
}

/// The sine of r + turn pi / 2, with the sign of the bit 31 of `sign` inverted.
[[gnu::always_inline]] inline F32 sine_of_quadrant(F32 r, I32 turn, I32 sign) {
  constexpr float kSin[] = {-0.166666538F, 0.00833210163F, -0.000195068424F};
  constexpr float kCos[] = {0.0416666456F, -0.0013887299F, 2.44302028e-05F};
  const F32 square = mul(r, r);
  const F32 sine = fma(mul(square, r), polynomial(square, kSin), r);
  const F32 cosine = fma(mul(square, square), polynomial(square, kCos), fma(square, broadcast(-0.5F), broadcast(1.0F)));
  const I32 chosen =
      select_equal(bit_and(turn, broadcast(1)), broadcast(0), reinterpret<std::int32_t>(sine), reinterpret<std::int32_t>(cosine));
  return reinterpret<float>(bit_xor(bit_xor(chosen, sign), shift_left<30>(bit_and(turn, broadcast(2)))));
}

/// Within 1.6 ulp; without fused multiply-adds 2.3.
[[gnu::always_inline]] inline F32 sin(F32 x) {
  const Angle a = reduce_angle(abs(x));
  const I32 sign = bit_and(reinterpret<std::int32_t>(x), reinterpret<std::int32_t>(broadcast(-0.0F)));
  return sine_of_quadrant(a.r, to_int32(a.quadrant), sign);
}

/// Within 1.6 ulp; without fused multiply-adds 2.3.
[[gnu::always_inline]] inline F32 cos(F32 x) {
  const Angle a = reduce_angle(abs(x));
  return sine_of_quadrant(a.r, add(to_int32(a.quadrant), broadcast(1)), broadcast(0));
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
