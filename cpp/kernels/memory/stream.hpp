// Loops that only move memory: the bandwidths of the roofline.
#pragma once

#include "kernels/memory_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr std::int64_t kRound = 8 * kLanes;
static_assert(kStreamFloats % kRound == 0);

/// Eight sums, so that the latency of additions does not count.
[[gnu::flatten]] inline void read_stream(const ReadStreamWork& w) {
  F32 sum[8];
  unroll<0, 8>([&](auto i) { sum[i] = broadcast(0.0F); });
  for (const float *x = w.x, *end = x + w.count; x < end; x += kRound) {
    unroll<0, 8>([&](auto i) { sum[i] = add(sum[i], load(x + i * kLanes)); });
  }
  unroll<1, 8>([&](auto i) { sum[0] = add(sum[0], sum[i]); });
  store_first(w.sink, sum[0], 1);
}

[[gnu::flatten]] inline void copy_stream(const CopyStreamWork& w) {
  float* y = w.y;
  for (const float *x = w.x, *end = x + w.count; x < end; x += kRound, y += kRound) {
    F32 v[8];
    unroll<0, 8>([&](auto i) { v[i] = load(x + i * kLanes); });
    unroll<0, 8>([&](auto i) { store(y + i * kLanes, v[i]); });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
