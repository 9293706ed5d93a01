// Operations on halves of vectors, where an instruction set has panels that end in half a vector.
#pragma once

#include "tests/simd/floats.hpp"
#include "tests/simd/memory.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class F>
void expect_half(const char* operation, int at, HalfVec v, const F& scalar) {
  float lanes[kLanes / 2];
  std::memcpy(lanes, &v, sizeof lanes);
  for (int i = 0; i < kLanes / 2; ++i) expect<float>(same_value<float>(lanes[i], scalar(i)), operation, at + i);
}

inline void check_halves(const Inputs<float>& in) {
  if constexpr (kHalfPanels) {
    constexpr int kHalf = kLanes / 2;
    for_vectors(in, [&](int at, const float* a, const float* b, const float* c) {
      const HalfVec ha = half_load(a), hb = half_load(b), hc = half_load(c);
      expect_half("lower_half", at, lower_half(load(a)), [&](int i) { return a[i]; });
      expect_half("half_add", at, half_add(ha, hb), [&](int i) { return a[i] + b[i]; });
      expect_half("half_fma", at, half_fma(ha, hb, hc), [&](int i) { return scalar_fma(a[i], b[i], c[i]); });
      expect_half("half_max_or_second", at, half_max_or_second(ha, hb), [&](int i) { return a[i] > b[i] ? a[i] : b[i]; });
      expect_half("half_min_or_second", at, half_min_or_second(ha, hb), [&](int i) { return a[i] < b[i] ? a[i] : b[i]; });
    });
    for (int n = 1; n <= kHalf; ++n) {
      const float* const x = in.a + 7;
      const float* const y = in.b + 7;
      float* const end = reinterpret_cast<float*>(simd_tests::guarded_end) - n;
      for (int i = 0; i < n; ++i) end[i] = y[i];
      const auto part = [&](const float* from, int i) { return i < n ? from[i] : 0.0F; };
      expect_half("half_load_first", n, half_load_first(end, n), [&](int i) { return part(y, i); });
      Margins<float> half;
      half_store_first(half.inside(), half_load(x), n);
      half.expect_only("half_store_first", x, 0, n);
      half_store_first(end, half_load(x), n);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
