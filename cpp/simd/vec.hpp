// One vector of floats, as wide as the instruction set that this file is compiled for, and the operations the kernels need.
//
// Every operation rounds once, so results do not depend on the width; fma is a true fused multiply-add wherever the hardware has
// one (not on plain x86-64). Everything lies in DWSEP_ISA_NAMESPACE, which each file of cpp/isa defines before it includes this: the linker
// never takes a function that was compiled for one instruction set in place of another's.
#pragma once

#if defined(__AVX512F__)
#include "simd/vec_avx512.hpp"
#else
#if defined(__AVX2__)
#include "simd/vec_avx2.hpp"
#elif defined(__x86_64__)
#include "simd/vec_sse.hpp"
#elif defined(__ARM_NEON)
#include "simd/vec_neon.hpp"
#endif
#include "simd/vec_unmasked.hpp"
#endif

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// An index known at compile time.
template <int I>
struct Index {
  static constexpr int value = I;
  constexpr operator int() const { return I; }
};

/// f(Index<Begin>), ..., f(Index<End - 1>): unrolled by construction, so that arrays of vectors indexed by it stay in registers.
template <int Begin, int End, class F>
[[gnu::always_inline]] inline void unroll(const F& f) {
  if constexpr (Begin < End) {
    f(Index<Begin>{});
    unroll<Begin + 1, End>(f);
  }
}

/// Keeps the compiler from seeing where a value came from (and from rebuilding the address arithmetic its own way).
template <class T>
[[gnu::always_inline]] inline T opaque(T x) {
  asm("" : "+r"(x));
  return x;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
