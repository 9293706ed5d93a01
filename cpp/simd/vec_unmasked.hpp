// What instruction sets without mask registers have in common, on the operations of their own header: parts of vectors by branches,
// scaling by products, and no panels that end in half a vector.
#pragma once

#include "simd/lanes.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::always_inline]] inline F32 load_lanes(const float* p, Lanes n) { return load_up_to(p, n.last); }
[[gnu::always_inline]] inline void store_lanes(float* p, F32 v, Lanes n) { store_up_to(p, v, n.last); }
#ifndef __AVX2__
/// Only where channels begin at packed vectors.
[[gnu::always_inline]] inline F32 load_across(const float* lower, const float*, int) { return load(lower); }
#endif

/// In two steps, because 2^n may overflow or underflow. The first is exact, unless a is subnormal.
[[gnu::always_inline]] inline F32 times_exp2(F32 a, F32 n) {
  const auto power = [](F32 k) { return reinterpret<float>(shift_left<23>(add(to_int32(k), broadcast(127)))); };
  const F32 half = round(mul(n, broadcast(0.5F)));
  return mul(mul(a, power(half)), power(sub(n, half)));
}

// Half a short vector may be wasted; these only satisfy the names.
constexpr bool kHalfPanels = false;
using HalfVec = F32;
[[gnu::always_inline]] inline HalfVec half_load(const float* p) { return load(p); }
[[gnu::always_inline]] inline HalfVec half_load_first(const float* p, int n) { return load_first(p, n); }
[[gnu::always_inline]] inline void half_store_first(float*, HalfVec, int) {}
[[gnu::always_inline]] inline HalfVec lower_half(F32 x) { return x; }
[[gnu::always_inline]] inline HalfVec half_add(HalfVec a, HalfVec b) { return add(a, b); }
[[gnu::always_inline]] inline HalfVec half_fma(HalfVec a, HalfVec b, HalfVec c) { return fma(a, b, c); }
[[gnu::always_inline]] inline HalfVec half_max_or_second(HalfVec a, HalfVec b) { return max_or_second(a, b); }
[[gnu::always_inline]] inline HalfVec half_min_or_second(HalfVec a, HalfVec b) { return min_or_second(a, b); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
