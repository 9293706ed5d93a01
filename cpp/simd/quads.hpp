// Sums of products of bytes, four to a lane, and the rearrangements around them.
//
// A quad is four adjacent bytes: the part of x, and of the weights, that one lane of a vector of int32 sums.
//
//   Dot                             how this instruction set multiplies quads, exactly for all values:
//     kFlip                           what signed bytes of x are xored with before they are multiplied
//     flip(x_flip)                    and those that are signed once they are xored with x_flip, if weights are split with it
//     split(w, flip)                  the same of one vector of weights as they are, for x that is to be xored with flip
//     kWeightVectors                  vectors of bytes that hold the weights of one vector of sums
//     Weights, load(p)                these weights
//     load_once(p)                    the same, which the compiler will not load once more for each use
//     Sums, start(v), finish(s)       running sums, from and to a vector of int32
//     kSumRegisters, kExtraRegisters  vector registers that they take, and those for other things than sums, x and weights
//     add(s, x, w)                    s + the products of the quads of x and w
//     correction(w)                   what multiplying by w adds to the initial sum
//   lane_unpack_lower(a, b), _upper   a0 b0 a1 b1 ... within each 16 bytes, of their lower halves, of their upper halves; int8, int16
//   lane_pack(a, b)                   within each 16 bytes those of a, then those of b, narrowed and saturated
//   kSixteens                       16 bytes are this part of a vector; 1, 2 or 4 pieces share one evenly
//     load_pieces<P>(p, n)            n bytes from each of p[0], ... p[P - 1]; zeros behind them
//     store_pieces<P>(p, step, v, n, count)  the first `count` pieces, n bytes each, to p, p + step, ...
//   lane_pick(v, i)                   within each 16 bytes those of v that the bytes of i say, 0 to 15; anything for others
//   lane_join<N>(v)                   the first N bytes of each 16 bytes brought together in the first bytes, then the next N; N is 4 or 8
//   lane_split<N>(v)                  the first bytes brought back
//   lane_transpose(v)                 four vectors, of floats: the first 16 bytes of each, then the next of each
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// v itself, which the compiler will not load once more for each use.
[[gnu::always_inline]] inline I8 in_register(I8 v) {
#if defined(__AVX512F__)
  asm("" : "+v"(v.v));
#elif defined(__AVX2__)
  asm("" : "+x"(v.v));
#elif defined(__aarch64__)
  asm("" : "+w"(v.v));
#endif
  return v;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE

#if defined(__AVX512F__)
#include "simd/quads_avx512.hpp"
#elif defined(__AVX2__)
#include "simd/quads_avx2.hpp"
#elif defined(__aarch64__)
#include "simd/quads_neon.hpp"
#endif

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kSixteens = I8::kLanes / 16;

/// Whether there are tiles of a matrix (matrix_tiles.hpp).
#if defined(__AMX_INT8__)
constexpr bool kMatrixTiles = true;
#else
constexpr bool kMatrixTiles = false;
#endif

/// Whether x86-64's instruction multiplies and adds, for which GCC 12 moved sums of loops that follow each other to other registers and
/// back in each step (one row of four vectors: 49 instructions for 16 products, 25 where they are kept in place), and loaded weights once
/// a row. AArch64's needs neither.
#if defined(__AVX2__)
constexpr bool kDotInstruction = Dot::kWeightVectors == 1;
#else
constexpr bool kDotInstruction = false;
#endif

/// s in the register where it is.
template <class T>
[[gnu::always_inline]] inline T in_place(T s) {
  if constexpr (kDotInstruction) {
    return reinterpret<std::int32_t>(in_register(reinterpret<std::int8_t>(s)));
  } else {
    return s;
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
