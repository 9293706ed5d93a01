// Loops that do nothing but move memory: the bandwidths that stand beside the arithmetic peak.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Floats moved in one round of the loops below; they take whole rounds only.
constexpr std::int64_t kStreamFloats = 8 * kLanes;

/// Eight sums, so that the additions are not what is waited for.
[[gnu::flatten]] inline void read_stream(const float* x, std::int64_t count, float* sink) {
  Vec sum[8];
  unroll<0, 8>([&](auto i) { sum[i] = broadcast(0.0F); });
  for (const float* end = x + count; x < end; x += kStreamFloats) {
    unroll<0, 8>([&](auto i) { sum[i] = add(sum[i], load(x + i * kLanes)); });
  }
  unroll<1, 8>([&](auto i) { sum[0] = add(sum[0], sum[i]); });
  store_first(sink, sum[0], 1);
}

[[gnu::flatten]] inline void copy_stream(const float* x, std::int64_t count, float* y) {
  for (const float* end = x + count; x < end; x += kStreamFloats, y += kStreamFloats) {
    Vec v[8];
    unroll<0, 8>([&](auto i) { v[i] = load(x + i * kLanes); });
    unroll<0, 8>([&](auto i) { store(y + i * kLanes, v[i]); });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
