// Reductions of adjacent values: value i goes to accumulator i % 16, whatever the width of a vector, and one tree joins the sixteen.
#pragma once

#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kAccumulators = 16;

constexpr float kLaneNumbers[kAccumulators] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
/// Rotations by 1, 2, 4 and 8 lanes.
constexpr std::int32_t kTurned[4][kAccumulators] = {
    {1 % kLanes, 2 % kLanes, 3 % kLanes, 4 % kLanes, 5 % kLanes, 6 % kLanes, 7 % kLanes, 8 % kLanes, 9, 10, 11, 12, 13, 14, 15, 0},
    {2 % kLanes, 3 % kLanes, 4 % kLanes, 5 % kLanes, 6 % kLanes, 7 % kLanes, 8 % kLanes, 9 % kLanes, 10, 11, 12, 13, 14, 15, 0, 1},
    {4 % kLanes, 5 % kLanes, 6 % kLanes, 7 % kLanes, 8 % kLanes, 9 % kLanes, 10 % kLanes, 11 % kLanes, 12, 13, 14, 15, 0, 1, 2, 3},
    {8 % kLanes, 9 % kLanes, 10 % kLanes, 11 % kLanes, 12 % kLanes, 13 % kLanes, 14 % kLanes, 15 % kLanes, 0, 1, 2, 3, 4, 5, 6, 7}};
constexpr std::int32_t kFirstLane[kAccumulators] = {};

struct SixteenAccumulators {
  static constexpr int kVectors = kAccumulators / kLanes;
  F32 v[kVectors];

  [[gnu::always_inline]] static inline SixteenAccumulators all(float value) {
    SixteenAccumulators s;
    unroll<0, kVectors>([&](auto i) { s.v[i] = broadcast(value); });
    return s;
  }
  [[gnu::always_inline]] static inline SixteenAccumulators at(const float* x) {
    SixteenAccumulators s;
    unroll<0, kVectors>([&](auto i) { s.v[i] = load(x + i * kLanes); });
    return s;
  }
  /// The first n < 16 values, then `fill`.
  [[gnu::always_inline]] static inline SixteenAccumulators first(const float* x, int n, F32 fill) {
    SixteenAccumulators s;
    unroll<0, kVectors>([&](auto i) {
      const int left = lanes_left<i>(n);
      s.v[i] = fill;
      if (kVectors == 1 || left > 0) {
        s.v[i] = select_less(load(kLaneNumbers), broadcast(static_cast<float>(left)), load_up_to(x + i * kLanes, left), fill);
      }
    });
    return s;
  }
  [[gnu::always_inline]] inline void store_to(float* y) const {
    unroll<0, kVectors>([&](auto i) { store(y + i * kLanes, v[i]); });
  }
  [[gnu::always_inline]] inline void store_first_to(float* y, int n) const {
    unroll<0, kVectors>([&](auto i) {
      const int left = lanes_left<i>(n);
      if (kVectors == 1 || left > 0) store_up_to(y + i * kLanes, v[i], left);
    });
  }

 private:
  template <int I>
  [[gnu::always_inline]] static inline int lanes_left(int n) {
    const int left = n - I * kLanes;
    return left < kLanes ? left : kLanes;
  }
};

template <class F>
[[gnu::always_inline]] inline SixteenAccumulators apply(const F& f, const SixteenAccumulators& a) {
  SixteenAccumulators s;
  unroll<0, SixteenAccumulators::kVectors>([&](auto i) { s.v[i] = f(a.v[i]); });
  return s;
}
template <class F>
[[gnu::always_inline]] inline SixteenAccumulators apply(const F& f, const SixteenAccumulators& a, const SixteenAccumulators& b) {
  SixteenAccumulators s;
  unroll<0, SixteenAccumulators::kVectors>([&](auto i) { s.v[i] = f(a.v[i], b.v[i]); });
  return s;
}

/// f over the sixteen as a tree: 8 apart, 4, 2, 1. The result is in every lane.
template <class F>
[[gnu::always_inline]] inline F32 join(const F& f, const SixteenAccumulators& s) {
  F32 v = s.v[0];
  if constexpr (SixteenAccumulators::kVectors == 4) v = f(f(s.v[0], s.v[2]), f(s.v[1], s.v[3]));
  if constexpr (SixteenAccumulators::kVectors == 2) v = f(s.v[0], s.v[1]);
  if constexpr (kLanes == 16) v = f(v, permute(v, kTurned[3]));
  if constexpr (kLanes >= 8) v = f(v, permute(v, kTurned[2]));
  v = f(v, permute(v, kTurned[1]));
  v = f(v, permute(v, kTurned[0]));
  return permute(v, kFirstLane);
}

[[gnu::always_inline]] inline float first_lane(F32 v) {
  float value;
  store_first(&value, v, 1);
  return value;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
