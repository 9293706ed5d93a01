// What a tile does with a last panel that ends in half a vector of columns (24 or 40 of them, say), which padding would waste.
//
// Paired: the panel holds these columns twice and a vector works on them for two pixels: 3 FMAs for two pixels of 24 columns instead of 4.
// Narrow: a vector of half the width for each pixel. It costs half where 512-bit operations run in two passes, and so do the blends that
// pairs need: 56x56 144->24 takes 239 us paired and 210 narrow on such a processor. On others a narrow FMA costs as much as a whole one.
#pragma once

#include "kernels/table.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The panel ends in a whole vector.
template <int MR>
struct NoHalf {
  static constexpr bool kExists = false;
  static constexpr int kFloats = 0;  ///< in a row of the panel

  [[gnu::always_inline]] inline void set(const float*) {}
  [[gnu::always_inline]] inline void begin(const float*) {}
  template <int M>
  [[gnu::always_inline]] inline void multiply(F32) {}
  [[gnu::always_inline]] inline void add_residual(const float*, std::int64_t, int) {}
  [[gnu::always_inline]] inline void clip(float, float) {}
  [[gnu::always_inline]] inline void store(float*, std::int64_t, int) const {}
};

template <int MR>
class PairedHalf {
 public:
  static constexpr bool kExists = true;
  static constexpr int kFloats = kLanes;

  [[gnu::always_inline]] inline void set(const float* bias) {
    unroll<0, kPairs>([&](auto p) { acc_[p] = load(bias); });
  }
  [[gnu::always_inline]] inline void begin(const float* b) { weights_ = load(b); }
  /// Pixels come in order.
  template <int M>
  [[gnu::always_inline]] inline void multiply(F32 x) {
    if constexpr (M % 2 == 1) acc_[M / 2] = fma(join_halves(before_, x), weights_, acc_[M / 2]);
    if constexpr (M % 2 == 0 && M + 1 == MR) acc_[M / 2] = fma(x, weights_, acc_[M / 2]);
    before_ = x;
  }
  [[gnu::always_inline]] inline void add_residual(const float* r, std::int64_t row, int lanes) {
    unroll<0, kPairs>([&](auto p) {
      const float* first = r + 2 * p * row;
      acc_[p] = add(acc_[p], load_halves(first, 2 * p + 1 < MR ? first + row : first, lanes));
    });
  }
  [[gnu::always_inline]] inline void clip(float lo, float hi) {
    unroll<0, kPairs>([&](auto p) { acc_[p] = min_or_second(broadcast(hi), max_or_second(broadcast(lo), acc_[p])); });
  }
  [[gnu::always_inline]] inline void store(float* y, std::int64_t row, int lanes) const {
    unroll<0, kPairs>([&](auto p) {
      store_lower(y + 2 * p * row, acc_[p], lanes);
      if constexpr (2 * p + 1 < MR) store_upper(y + (2 * p + 1) * row, acc_[p], lanes);
    });
  }

 private:
  static constexpr int kPairs = (MR + 1) / 2;
  F32 acc_[kPairs], weights_, before_;
};

template <int MR>
class NarrowHalf {
 public:
  static constexpr bool kExists = true;
  static constexpr int kFloats = kLanes / 2;

  [[gnu::always_inline]] inline void set(const float* bias) {
    unroll<0, MR>([&](auto m) { acc_[m] = half_load(bias); });
  }
  [[gnu::always_inline]] inline void begin(const float* b) { weights_ = half_load(b); }
  template <int M>
  [[gnu::always_inline]] inline void multiply(F32 x) {
    acc_[M] = half_fma(lower_half(x), weights_, acc_[M]);
  }
  [[gnu::always_inline]] inline void add_residual(const float* r, std::int64_t row, int lanes) {
    unroll<0, MR>([&](auto m) { acc_[m] = half_add(acc_[m], half_load_first(r + m * row, lanes)); });
  }
  [[gnu::always_inline]] inline void clip(float lo, float hi) {
    const HalfVec l = lower_half(broadcast(lo)), h = lower_half(broadcast(hi));
    unroll<0, MR>([&](auto m) { acc_[m] = half_min_or_second(h, half_max_or_second(l, acc_[m])); });
  }
  [[gnu::always_inline]] inline void store(float* y, std::int64_t row, int lanes) const {
    unroll<0, MR>([&](auto m) { half_store_first(y + m * row, acc_[m], lanes); });
  }

 private:
  HalfVec acc_[MR], weights_;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
