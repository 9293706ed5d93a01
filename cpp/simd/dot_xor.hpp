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
  /// Sums of two products of bytes, and these added to running sums.
  [[gnu::always_inline]] static inline I16 pairs(I8 x, const Weights& w) { return dot_pairs_saturated(w.magnitude, bit_xor(x, w.sign)); }
  [[gnu::always_inline]] static inline Sums add_pairs(Sums s, I16 p) {
    return DWSEP_ISA_NAMESPACE::add(s, dot_pairs(p, broadcast(std::int16_t{1})));
  }
  [[gnu::always_inline]] static inline Sums add(Sums s, I8 x, const Weights& w) { return add_pairs(s, pairs(x, w)); }
  static constexpr std::uint8_t flip(std::uint8_t) { return 0; }
#if !defined(__AVX512F__)
  /// Of each pair of weights the sum of the positive ones, and of the negative ones; unsigned bytes, 255 stands for more too.
  static inline I8 pair_sums(I8 w) {
    const __m256i ones = _mm256_set1_epi8(1), up = _mm256_max_epi8(w.v, _mm256_setzero_si256()), down = _mm256_sub_epi8(up, w.v);
    return {_mm256_packus_epi16(_mm256_maddubs_epi16(up, ones), _mm256_maddubs_epi16(down, ones))};
  }
  static inline int most(I8 sums) {
    const __m128i half = _mm_max_epu8(_mm256_castsi256_si128(sums.v), _mm256_extracti128_si256(sums.v, 1)),
                  bytes = _mm_xor_si128(half, _mm_set1_epi8(-1));
    return 255 - (_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_min_epu8(bytes, _mm_srli_epi16(bytes, 8)))) & 255);
  }
  /// What sums of weights of one sign may be at most, for unsigned bytes to be multiplied by them as they are.
  static constexpr int kAsIs = 128;
  /// Whether the products of both may be added in int16: by unsigned bytes as they are, or with help by bytes within [-128, 127].
  static inline bool fit(I8 sums, I8 others, bool helped) {
    __m256i sum = _mm256_adds_epu8(sums.v, others.v);
    if (helped) sum = _mm256_adds_epu8(sum, _mm256_shuffle_epi32(sum, 0x4E));
    const __m256i excess = _mm256_subs_epu8(sum, _mm256_set1_epi8(static_cast<char>(helped ? 254 : kAsIs)));
    return _mm256_testz_si256(excess, excess) != 0;
  }
#endif
  static constexpr std::int32_t correction(std::int8_t w) { return w < 0 ? -w : 0; }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
