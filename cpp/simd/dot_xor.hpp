// Exact products of bytes by vpmaddubsw, which multiplies unsigned by signed bytes and saturates sums of two products at int16.
//
// Weights are stored as |w| and a mask of their signs. For w < 0, |w| * (x ^ -1) = |w| * (-x - 1) = w * x - |w|, so |w| goes into the
// initial sum; sums of two products stay within [-32768, 32512], also for w = -128. The mask can flip x to a signed byte as well.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

struct DotXor {
  static constexpr std::uint8_t kFlip = 0;
  static constexpr int kWeightVectors = 2, kSumRegisters = 1, kExtraRegisters = 2;
  struct Weights {
    I8 magnitude, sign;
  };
  using Sums = I32;

  [[gnu::always_inline]] static inline Weights load(const std::int8_t* p) {
    return {DWSEP_ISA_NAMESPACE::load(p), DWSEP_ISA_NAMESPACE::load(p + I8::kLanes)};
  }
  [[gnu::always_inline]] static inline Weights load_once(const std::int8_t* p) {
    const Weights w = load(p);
    return {in_register(w.magnitude), in_register(w.sign)};
  }
  /// Of weights as they are, and x as it is stored: flip[i] is what x is xored with.
  [[gnu::always_inline]] static inline Weights split(I8 w, I8 flip) {
#if defined(__AVX512F__)
    return {{_mm512_abs_epi8(w.v)}, select_less(w, broadcast(std::int8_t{0}), bit_xor(flip, broadcast(std::int8_t{-1})), flip)};
#else
    return {{_mm256_abs_epi8(w.v)}, bit_xor(flip, {_mm256_cmpgt_epi8(_mm256_setzero_si256(), w.v)})};
#endif
  }
  [[gnu::always_inline]] static inline Sums start(I32 v) { return v; }
  [[gnu::always_inline]] static inline I32 finish(Sums s) { return s; }
  [[gnu::always_inline]] static inline Sums add(Sums s, I8 x, const Weights& w) {
    const I16 pairs = dot_pairs_saturated(w.magnitude, bit_xor(x, w.sign));
    return DWSEP_ISA_NAMESPACE::add(s, dot_pairs(pairs, broadcast(std::int16_t{1})));
  }
  static constexpr std::uint8_t flip(std::uint8_t) { return 0; }
  /// Of unsigned x, where no two products saturate.
  [[gnu::always_inline]] static inline Sums add_as_is(Sums s, I8 x, I8 w) {
    return DWSEP_ISA_NAMESPACE::add(s, dot_pairs(dot_pairs_saturated(x, w), broadcast(std::int16_t{1})));
  }
  static constexpr std::int32_t correction(std::int8_t w) { return w < 0 ? -w : 0; }
  static inline std::int32_t pack(std::int8_t w, std::int8_t* to) {
    to[0] = static_cast<std::int8_t>(static_cast<std::uint8_t>(w < 0 ? -w : w));
    to[I8::kLanes] = static_cast<std::int8_t>(w < 0 ? -1 : 0);
    return correction(w);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
