// Operations on floats, against scalar loops.
#pragma once

#include "simd/math.hpp"
#include "tests/simd/inputs.hpp"
#include "tests/simd/lanes.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

inline float scalar_fma(float a, float b, float c) { return kFusedMultiplyAdd ? __builtin_fmaf(a, b, c) : a * b + c; }

inline void check_floats(const Inputs<float>& in) {
  for_vectors(in, [&](int at, const float* a, const float* b, const float* c) {
    const F32 va = load(a), vb = load(b), vc = load(c);
    expect_lanes("add", at, add(va, vb), [&](int i) { return a[i] + b[i]; });
    expect_lanes("sub", at, sub(va, vb), [&](int i) { return a[i] - b[i]; });
    expect_lanes("mul", at, mul(va, vb), [&](int i) { return a[i] * b[i]; });
    expect_lanes("div", at, div(va, vb), [&](int i) { return a[i] / b[i]; });
    expect_lanes("fma", at, fma(va, vb, vc), [&](int i) { return scalar_fma(a[i], b[i], c[i]); });
    expect_lanes("sqrt", at, sqrt(va), [&](int i) { return __builtin_sqrtf(a[i]); });
    expect_moved("abs", at, abs(va), [&](int i) { return __builtin_fabsf(a[i]); });
    expect_moved("copy_sign", at, copy_sign(va, vb), [&](int i) { return __builtin_copysignf(a[i], b[i]); });
    expect_moved("max_or_second", at, max_or_second(va, vb), [&](int i) { return a[i] > b[i] ? a[i] : b[i]; });
    expect_moved("min_or_second", at, min_or_second(va, vb), [&](int i) { return a[i] < b[i] ? a[i] : b[i]; });
    expect_lanes("maximum", at, maximum(va, vb), [&](int i) { return a[i] != a[i] ? a[i] : a[i] > b[i] ? a[i] : b[i]; });
    expect_lanes("minimum", at, minimum(va, vb), [&](int i) { return a[i] != a[i] ? a[i] : a[i] < b[i] ? a[i] : b[i]; });
    std::int32_t index[kLanes];
    for (int i = 0; i < kLanes; ++i) index[i] = static_cast<std::int32_t>(bits_as<std::uint32_t>(c[i]) % kLanes);
    expect_moved("permute", at, permute(va, index), [&](int i) { return a[index[i]]; });
    constexpr int kHalf = kLanes / 2;
    expect_moved("even_lanes", at, even_lanes(va, vb), [&](int i) { return i < kHalf ? a[2 * i] : b[2 * (i - kHalf)]; });
    expect_moved("odd_lanes", at, odd_lanes(va, vb), [&](int i) { return i < kHalf ? a[2 * i + 1] : b[2 * (i - kHalf) + 1]; });
    expect_lanes("floor", at, floor(va), [&](int i) { return __builtin_floorf(a[i]); });
    expect_lanes("ceil", at, ceil(va), [&](int i) { return __builtin_ceilf(a[i]); });
  });
}

/// Those that are for floats within int32: ties, the largest and the smallest, and random ones of all sizes.
inline void check_conversions(const Inputs<float>& in, const Inputs<std::int32_t>& integers) {
  for_vectors(in, [&](int at, const float* a, const float*, const float*) {
    float x[kLanes];
    for (int i = 0; i < kLanes; ++i) x[i] = a[i] >= -2147483648.0F && a[i] < 2147483648.0F ? a[i] : static_cast<float>(at + i) / 4.0F;
    // The sign of 0 is not promised.
    expect_lanes("round", at, add(round(load(x)), broadcast(0.0F)), [&](int i) { return __builtin_rintf(x[i]) + 0.0F; });
    expect_lanes("to_int32", at, to_int32(load(x)), [&](int i) { return static_cast<std::int32_t>(__builtin_rintf(x[i])); });
  });
  for_vectors(integers, [&](int at, const std::int32_t* a, const std::int32_t* b, const std::int32_t*) {
    bool less = false;
    for (int i = 0; i < kLanes; ++i) less |= a[i] < b[i];
    if (any_less(load(a), load(b)) != less || any_less(load(a), load(a)))
      simd_tests::failed("any_less", "int32", static_cast<std::size_t>(at));
    // A single lane, each in its turn.
    for (int lane = 0; lane < kLanes; ++lane) {
      std::int32_t one[kLanes] = {};
      one[lane] = -1;
      if (!any_less(load(one), broadcast(0))) simd_tests::failed("any_less", "int32", static_cast<std::size_t>(lane));
    }
    expect_lanes("to_float", at, to_float(load(a)), [&](int i) { return static_cast<float>(a[i]); });
  });
  for (int n = -252; n <= 254; ++n) {
    constexpr float kSignificands[] = {1.0F, -1.7F, 1.99999988F};
    for (const float a : kSignificands) {
      expect_lanes("times_exp2", n, times_exp2(broadcast(a), broadcast(static_cast<float>(n))),
                   [&](int) { return __builtin_scalbnf(a, n); });
    }
  }
  for (int n = -126; n <= 127; ++n) {
    expect_lanes("exp2_integral", n, exp2_integral(broadcast(static_cast<float>(n))), [&](int) { return __builtin_scalbnf(1.0F, n); });
  }
}

/// The rule by which integers of a convolution become int8 again, of which these operations are the parts.
inline void check_requantize(const Inputs<std::int32_t>& in) {
  constexpr int kPart = I32::kLanes;
  const float m = 0.00037F;
  const std::int32_t zero = -11;
  const auto scalar = [&](std::int32_t acc) {
    const float y = __builtin_rintf(static_cast<float>(acc) * m) + static_cast<float>(zero);
    return static_cast<std::int8_t>(y > 127.0F ? 127.0F : y < -128.0F ? -128.0F : y);
  };
  for_vectors(in, [&](int at, const std::int32_t* a, const std::int32_t* b, const std::int32_t* c) {
    const std::int32_t* parts[] = {a, b, c, b + 1};
    I32 y[4];
    for (int p = 0; p < 4; ++p) {
      const F32 scaled = mul(to_float(shift_right<8>(load(parts[p]))), broadcast(m));
      y[p] = add(to_int32(scaled), broadcast(zero));
    }
    expect_lanes("requantize", at, narrow(y[0], y[1], y[2], y[3]), [&](int i) { return scalar(parts[i / kPart][i % kPart] >> 8); });
  });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
