// As many vectors as they have lanes, transposed.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// v[i] lane j becomes v[j] lane i, by interleaving halves log2(kLanes) times where an instruction set has nothing better.
template <class V>
[[gnu::always_inline]] inline void transpose_lanes(V* v) {
  for_each_bit<V::kLanes>([&] {
    constexpr int kHalf = V::kLanes / 2;
    V t[V::kLanes];
    unroll<0, kHalf>([&](auto i) {
      t[2 * i] = zip_lower(v[i], v[i + kHalf]);
      t[2 * i + 1] = zip_upper(v[i], v[i + kHalf]);
    });
    unroll<0, V::kLanes>([&](auto i) { v[i] = t[i]; });
  });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
