// Vec<T>: one register of float, int32_t, int16_t or int8_t, as wide as the instruction set that this file is compiled for has them. Each
// vec_*.hpp defines the same operations, as overloads on the type of the lanes:
//
//   load(p), store(p, v)            any alignment
//   load_first(p, n)                the first n <= lanes, 0 <= n; the others are 0, and no memory behind them is touched
//   store_first(p, v, n)
//   load_up_to, store_up_to         the same for 1 <= n, where n is nearly always all lanes
//   load_as<T>(p)                   a vector of wider integers from memory
//   in_register(v)                  v itself, which the compiler will not load once more for another use
//   broadcast(x)                    x in every lane; the type of x decides
//   add, sub, mul                   integers wrap; no mul of int8
//   add_saturated                   int16, int8
//   dot_pairs(a, b)                 int16: a[2i] b[2i] + a[2i + 1] b[2i + 1] as int32, which wraps
//   dot_pairs_saturated(a, b)       the same of int8, a taken as unsigned, as int16 that saturate
//   maximum, minimum                floats: NaN if either is
//   max_or_second, min_or_second    floats: a > b ? a : b and a < b ? a : b; a NaN in b passes through
//   select_less(a, b, x, y)         a < b ? x : y
//   any_less(a, b)                  int32: whether a < b in any lane
//   select_equal(a, b, x, y)        integers: a == b ? x : y
//   bit_and, bit_or, bit_xor        integers
//   shift_left<N>, shift_right<N>   int32, int16; right: the sign is repeated
//   shift_right(v, n)               int32, n from 0 to 31, known when it runs
//   zip_lower(a, b), zip_upper      a0 b0 a1 b1 ... of the lower halves, of the upper halves
//   even_lanes(a, b), odd_lanes     floats: a0 a2 ... b0 b2 ..., a1 a3 ... b1 b3 ...
//   widen_lower(v), widen_upper     int8 -> int16, int16 -> int32
//   narrow(a, b), (a, b, c, d)      int32 -> int16, int16 -> int8, four of int32 -> int8; saturates, lanes stay in order
//   to_int32(v), to_float(v)        the nearest, half to even; of floats within int32 only
//   reinterpret<T>(v)               the same bits
//   look_up(v, table)               int8: table[v taken as unsigned], of 256
//   div, fma, sqrt, abs, round      floats; round gives the nearest integer, half to even, of floats within int32 only
//   fma_in_place(a, b, c)           AVX2: fma(a, b, c), which replaces c
//   times_exp2(a, n)                floats: a 2^n, rounded once, for integral n from -252 to 254
//   copy_sign(magnitude, s)         floats: |magnitude| with the sign of s
//   permute(v, index)               floats: lane i is lane index[i] of v
//   in_register(v)                  floats: v, which the compiler will not load once more for each use
//   store_nontemporal(p, v)         floats, non-temporal: past the caches; p is aligned to a vector
//   fence_nontemporal()             orders such stores before later ones
//
// Every operation on floats rounds once, so results do not depend on the width; fma is a true fused multiply-add wherever the hardware has
// one (not on baseline x86-64), unless a file defines DWSEP_UNFUSED. Everything lies in DWSEP_ISA_NAMESPACE, which each file of cpp/isa
// defines before it includes this: the linker never takes a function that was compiled for one instruction set in place of another's.
#pragma once

#include <cstdint>

#include "simd/unroll.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Whether fma multiplies and adds, rounding twice: for results whose bits plain x86-64 gives too.
#ifdef DWSEP_UNFUSED
constexpr bool kUnfused = true;
#else
constexpr bool kUnfused = false;
#endif

}  // namespace dwsep::DWSEP_ISA_NAMESPACE

#if defined(DWSEP_PORTABLE_VECTORS)
#include "simd/vec_portable.hpp"
#elif defined(__AVX512F__)
#include "simd/look_up_avx512.hpp"
#include "simd/vec_avx512.hpp"
#elif defined(__AVX2__)
#include "simd/vec_avx2.hpp"
#elif defined(__x86_64__)
#include "simd/vec_sse.hpp"
#elif defined(__aarch64__)
#include "simd/vec_neon.hpp"
#else
#include "simd/vec_portable.hpp"
#endif

namespace dwsep::DWSEP_ISA_NAMESPACE {

using F32 = Vec<float>;
using I32 = Vec<std::int32_t>;
using I16 = Vec<std::int16_t>;
using I8 = Vec<std::int8_t>;

/// Lanes of F32.
constexpr int kLanes = F32::kLanes;

/// Keeps the compiler from seeing where a value came from (and from rebuilding the address arithmetic its own way).
template <class T>
[[gnu::always_inline]] inline T opaque(T x) {
  asm("" : "+r"(x));
  return x;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE

// Common to all of them, or to those without mask registers.
#include "simd/partial.hpp"
#if !defined(__AVX512F__) || defined(DWSEP_PORTABLE_VECTORS)
#include "simd/vec_unmasked.hpp"
#endif
