// aarch64, with and without the dot product instructions. The operations mean what quads.hpp says; a vector is a single 16 bytes.
#pragma once

#include "simd/dot_instruction.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

#if defined(__ARM_FEATURE_DOTPROD)
[[gnu::always_inline]] inline I32 dot_quads(I32 s, I8 x, I8 w) { return {vdotq_s32(s.v, x.v, w.v)}; }
using Dot = DotInstruction<0, dot_quads>;
#else
/// Products as int16, whose pairs are added to int32: two halves of a quad's sum lie next to each other until the end.
struct Dot {
  static constexpr std::uint8_t kFlip = 0;
  static constexpr int kWeightVectors = 1, kSumRegisters = 2, kExtraRegisters = 1;
  using Weights = I8;
  struct Sums {
    I32 lower, upper;
  };

  [[gnu::always_inline]] static inline Weights load(const std::int8_t* p) { return DWSEP_ISA_NAMESPACE::load(p); }
  [[gnu::always_inline]] static inline Weights load_once(const std::int8_t* p) { return load(p); }
  [[gnu::always_inline]] static inline Sums start(I32 v) {
    const int32x4_t zero = vdupq_n_s32(0);
    return {{vzip1q_s32(v.v, zero)}, {vzip2q_s32(v.v, zero)}};
  }
  [[gnu::always_inline]] static inline I32 finish(Sums s) { return {vpaddq_s32(s.lower.v, s.upper.v)}; }
  [[gnu::always_inline]] static inline Sums add(Sums s, I8 x, Weights w) {
    return {{vpadalq_s16(s.lower.v, vmull_s8(vget_low_s8(x.v), vget_low_s8(w.v)))}, {vpadalq_s16(s.upper.v, vmull_high_s8(x.v, w.v))}};
  }
  [[gnu::always_inline]] static inline Weights split(I8 w, I8) { return w; }
  static constexpr std::uint8_t flip(std::uint8_t x_flip) { return x_flip; }
  static constexpr std::int32_t correction(std::int8_t) { return 0; }
};
#endif

[[gnu::always_inline]] inline I8 lane_unpack_lower(I8 a, I8 b) { return {vzip1q_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_unpack_upper(I8 a, I8 b) { return {vzip2q_s8(a.v, b.v)}; }
[[gnu::always_inline]] inline I16 lane_unpack_lower(I16 a, I16 b) { return {vzip1q_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline I16 lane_unpack_upper(I16 a, I16 b) { return {vzip2q_s16(a.v, b.v)}; }
[[gnu::always_inline]] inline I8 lane_pick(I8 v, I8 i) { return {vqtbl1q_s8(v.v, vreinterpretq_u8_s8(i.v))}; }
[[gnu::always_inline]] inline I16 lane_pack(I32 a, I32 b) { return {vqmovn_high_s32(vqmovn_s32(a.v), b.v)}; }
[[gnu::always_inline]] inline I8 lane_pack(I16 a, I16 b) { return {vqmovn_high_s16(vqmovn_s16(a.v), b.v)}; }
template <int P>
[[gnu::always_inline]] inline I8 load_pieces(const std::int8_t* const (&p)[P], int n) {
  return load_up_to(p[0], n);
}

template <int P>
[[gnu::always_inline]] inline void store_pieces(std::int8_t* p, std::int64_t, I8 v, int n, int) {
  store_up_to(p, v, n);
}
template <int N>
[[gnu::always_inline]] inline I8 lane_join(I8 a) {
  return a;
}
template <int N>
[[gnu::always_inline]] inline I8 lane_split(I8 a) {
  return a;
}
[[gnu::always_inline]] inline void lane_transpose(F32 (&)[4]) {}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
