// aarch64: 4 floats, 32 vector registers. The operations mean what vec_avx512.hpp says.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kLanes = 4;
constexpr int kRegisters = 32;
using Vec = float32x4_t;

[[gnu::always_inline]] inline Vec load(const float* p) { return vld1q_f32(p); }
[[gnu::always_inline]] inline void store(float* p, Vec v) { vst1q_f32(p, v); }
[[gnu::always_inline]] inline void store_past_caches(float* p, Vec v) { store(p, v); }
[[gnu::always_inline]] inline void flush_past_caches() {}
[[gnu::always_inline]] inline Vec broadcast(float x) { return vdupq_n_f32(x); }
[[gnu::always_inline]] inline Vec load_first(const float* p, int n) {
  if (n >= 4) return load(p);
  Vec v = vld1q_lane_f32(p, vdupq_n_f32(0.0F), 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
[[gnu::always_inline]] inline void store_first(float* p, Vec v, int n) {
  if (n >= 4) return store(p, v);
  vst1q_lane_f32(p, v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
[[gnu::always_inline]] inline Vec add(Vec a, Vec b) { return vaddq_f32(a, b); }
[[gnu::always_inline]] inline Vec sub(Vec a, Vec b) { return vsubq_f32(a, b); }
[[gnu::always_inline]] inline Vec mul(Vec a, Vec b) { return vmulq_f32(a, b); }
[[gnu::always_inline]] inline Vec div(Vec a, Vec b) { return vdivq_f32(a, b); }
[[gnu::always_inline]] inline Vec fma(Vec a, Vec b, Vec c) { return vfmaq_f32(c, a, b); }
[[gnu::always_inline]] inline Vec sqrt(Vec a) { return vsqrtq_f32(a); }
// Not vmaxq: the same zero and the same NaN as on x86.
[[gnu::always_inline]] inline Vec max_or_second(Vec a, Vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
[[gnu::always_inline]] inline Vec min_or_second(Vec a, Vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
[[gnu::always_inline]] inline Vec abs(Vec a) { return vabsq_f32(a); }
[[gnu::always_inline]] inline Vec round(Vec a) { return vrndnq_f32(a); }
[[gnu::always_inline]] inline Vec exp2_integral(Vec n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23));
}
[[gnu::always_inline]] inline Vec select_less(Vec a, Vec b, Vec x, Vec y) { return vbslq_f32(vcltq_f32(a, b), x, y); }
[[gnu::always_inline]] inline Vec select_nan(Vec a, Vec x, Vec y) { return vbslq_f32(vceqq_f32(a, a), y, x); }
[[gnu::always_inline]] inline Vec maximum(Vec a, Vec b) { return select_nan(a, a, max_or_second(a, b)); }
[[gnu::always_inline]] inline Vec minimum(Vec a, Vec b) { return select_nan(a, a, min_or_second(a, b)); }
[[gnu::always_inline]] inline Vec copy_sign(Vec magnitude, Vec s) { return vbslq_f32(vdupq_n_u32(0x80000000U), s, magnitude); }
[[gnu::always_inline]] inline Vec permute(Vec v, const std::int32_t* index) {
  float lanes[4];
  vst1q_f32(lanes, v);
  const float picked[4] = {lanes[index[0]], lanes[index[1]], lanes[index[2]], lanes[index[3]]};
  return vld1q_f32(picked);
}
[[gnu::always_inline]] inline Vec zip_lower(Vec a, Vec b) { return vzip1q_f32(a, b); }
[[gnu::always_inline]] inline Vec zip_upper(Vec a, Vec b) { return vzip2q_f32(a, b); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
