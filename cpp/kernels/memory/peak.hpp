// A loop of fused multiply-adds in registers: the peak that shares are measured against.
#pragma once

#include "kernels/memory_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kChains = kRegisters == 32 ? 16 : 12;

[[gnu::flatten]] inline void fma_chain(const FmaChainWork& w) {
  F32 acc[kChains];
  unroll<0, kChains>([&](auto i) { acc[i] = broadcast(static_cast<float>(i)); });
  const F32 a = broadcast(0.999F), b = broadcast(0.001F);
  for (std::int64_t n = 0; n < w.iterations; ++n) {
    unroll<0, kChains>([&](auto i) { acc[i] = fma(acc[i], a, b); });
  }
  F32 sum = acc[0];
  unroll<1, kChains>([&](auto i) { sum = add(sum, acc[i]); });
  store_first(w.sink, sum, 1);
  *w.flops = 2 * kChains * kLanes * w.iterations;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
