// What a tile does with a last panel that ends in half a vector of columns (24 or 40 of them, say), which padding would waste: a vector of
// half the width for each pixel. It costs half where 512-bit operations run in two passes, and elsewhere as much as a whole one. Pairs of
// pixels in one vector need a blend for each pair, which takes the place of the multiply-add that they save: on Emerald Rapids 56x56
// 144->24 took 292 us in pairs and 259 so, on Zen 4 239 and 210, and no layer tried was faster in pairs.
#pragma once

#include "kernels/conv_work.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The panel ends in a whole vector.
template <int MR>
struct NoHalf {
  static constexpr bool kExists = false;
  static constexpr int kFloats = 0;  ///< in a row of the panel

  [[gnu::always_inline]] inline void set(const float*) {}
  template <class Rows>
  [[gnu::always_inline]] inline void set_from(const Rows&, int) {}
  [[gnu::always_inline]] inline void begin(const float*) {}
  template <int M>
  [[gnu::always_inline]] inline void multiply(F32) {}
  template <class Rows>
  [[gnu::always_inline]] inline void add_residual(const Rows&, int, int) {}
  [[gnu::always_inline]] inline void clip(float, float) {}
  template <class Rows>
  [[gnu::always_inline]] inline void store(const Rows&, std::int64_t, int) const {}
};

/// Rows are those of the tile; its own columns begin `first` floats behind their addresses.
template <int MR>
class NarrowHalf {
 public:
  static constexpr bool kExists = true;
  static constexpr int kFloats = kLanes / 2;

  [[gnu::always_inline]] inline void set(const float* bias) {
    unroll<0, MR>([&](auto m) { acc_[m] = half_load(bias); });
  }
  template <class Rows>
  [[gnu::always_inline]] inline void set_from(const Rows& rows, int first) {
    unroll<0, MR>([&](auto m) { acc_[m] = half_load(rows.template at<m>() + first); });
  }
  [[gnu::always_inline]] inline void begin(const float* b) { weights_ = half_load(b); }
  template <int M>
  [[gnu::always_inline]] inline void multiply(F32 x) {
    acc_[M] = half_fma(lower_half(x), weights_, acc_[M]);
  }
  template <class Rows>
  [[gnu::always_inline]] inline void add_residual(const Rows& rows, int first, int lanes) {
    unroll<0, MR>([&](auto m) { acc_[m] = half_add(acc_[m], half_load_first(rows.template at<m>() + first, lanes)); });
  }
  [[gnu::always_inline]] inline void clip(float lo, float hi) {
    const HalfVec l = lower_half(broadcast(lo)), h = lower_half(broadcast(hi));
    unroll<0, MR>([&](auto m) { acc_[m] = half_min_or_second(h, half_max_or_second(l, acc_[m])); });
  }
  template <class Rows>
  [[gnu::always_inline]] inline void store(const Rows& rows, std::int64_t first, int lanes) const {
    unroll<0, MR>([&](auto m) { half_store_first(rows.template at<m>() + first, acc_[m], lanes); });
  }

 private:
  HalfVec acc_[MR], weights_;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
