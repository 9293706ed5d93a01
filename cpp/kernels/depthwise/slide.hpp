// Depthwise kernels that slide along a row: R output rows of one vector of channels, weights and the accumulators of the outputs in
// progress in registers. Each input is loaded once for a group of rows: 1.5 loads an output for 3x3 where a 4x4 tile takes 2.8, which
// counts most when the loads are slow: unaligned inputs, or pixels a multiple of 2 KB apart, which share two sets of the level-1 cache.
//
// An input column c meets filter column kw for output (c - kw) / stride, so outputs sum column by column, top to bottom in each: the
// canonical order.
#pragma once

#include "kernels/depthwise/rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class F, int R>
class Slide {
 public:
  static constexpr int kRows = (R - 1) * F::SH + F::KH;
  /// Outputs in progress at a time, and so the period with which accumulators change roles.
  static constexpr int kPhases = (F::KW + F::SW - 1) / F::SW;

  /// Lanes `lanes` of the channels from `channel` on, output columns [begin, end), at least kPhases of them, into y (row 0, column 0).
  /// Never inlined: in a caller that is not flattened, GCC spills the accumulators on NEON.
  [[gnu::flatten, gnu::noinline]] static void run(const DepthwiseWork& w, const float* const* rows, std::int64_t channel, Lanes lanes,
                                                  std::int64_t begin, std::int64_t end, float* y) {
    Slide s(w, rows, channel, lanes, begin, y);
    // Before `kPhases - 1` outputs are in progress, and after the last has begun, some filter columns have no output.
    std::int64_t o = begin;
    unroll<0, kPhases - 1>([&](auto i) {
      s.template output<i, 0, i + 1>();
      ++o;
    });
    for (;;) {
      bool done = false;
      unroll<0, kPhases>([&](auto i) {
        constexpr int phase = (i + kPhases - 1) % kPhases;
        if (done) return;
        if (o == end) {
          s.template drain<phase>();
          done = true;
          return;
        }
        s.template output<phase, 0, kPhases>();
        ++o;
      });
      if (done) return;
    }
  }

 private:
  [[gnu::always_inline]] inline Slide(const DepthwiseWork& w, const float* const* rows, std::int64_t channel, Lanes lanes,
                                      std::int64_t begin, float* y)
      : rows_(rows),
        column_(begin * F::SW - w.pad_left),
        width_(w.width),
        offset_(column_ * w.x_pixel + channel + channel / kLanes * (w.x_vector - kLanes)),
        pixel_(w.x_pixel),
        y_(y + begin * w.y_pixel + channel),
        y_row_(w.y_row),
        y_pixel_(w.y_pixel),
        lanes_(lanes),
        lo_(w.lo),
        hi_(w.hi) {
    // Channels that do not begin at a packed vector take their weights from two.
    constexpr int kTaps = F::KH * F::KW;
    const std::int64_t last = (w.channels - 1) / kLanes, lower = channel < 0 ? 0 : channel / kLanes,
                       upper = lower < last ? lower + 1 : last;
    const int first = static_cast<int>(channel < 0 ? channel + kLanes : channel % kLanes);
    const float *weights = w.weights + lower * kTaps * kLanes, *next = w.weights + (channel < 0 ? 0 : upper) * kTaps * kLanes;
    unroll<0, kTaps>([&](auto i) { taps_[i] = load_across(weights + i * kLanes, next + i * kLanes, first); });
    bias_ = load_across(w.bias + lower * kLanes, w.bias + (channel < 0 ? 0 : upper) * kLanes, first);
  }

  /// The input columns that begin with an output's first one, up to the next output's. Of the outputs in progress, ages [Begin, End) exist:
  /// age 0 begins here, age kPhases - 1 ends here.
  template <int Phase, int Begin, int End>
  [[gnu::always_inline]] inline void output() {
    unroll<0, R>([&](auto oy) { acc_[Phase][oy] = bias_; });
    unroll<0, F::SW>([&](auto j) {
      column<Phase, j, Begin, End>();
      if constexpr (j == (F::KW - 1) % F::SW && End == kPhases) finish<Phase>();
    });
  }

  /// The columns that are left when no further output begins.
  template <int Phase>
  [[gnu::always_inline]] inline void drain() {
    unroll<1, kPhases>([&](auto age) __attribute__((always_inline)) {
      constexpr int phase = (Phase + age - 1) % kPhases;
      unroll<0, F::SW>([&](auto j) __attribute__((always_inline)) {
        if constexpr (j <= (F::KW - 1) % F::SW || age < kPhases - 1) column<phase, j, age, kPhases>();
        if constexpr (j == (F::KW - 1) % F::SW) finish<phase>();
      });
    });
  }

  /// One input column, the j-th of its output: every input row is loaded once and meets all outputs of ages [Begin, End).
  template <int Phase, int J, int Begin, int End>
  [[gnu::always_inline]] inline void column() {
    if (column_ >= 0 && column_ < width_) {
      unroll<0, kRows>([&](auto iy) __attribute__((always_inline)) {
        const float* row = rows_[iy];
        if (row == nullptr) return;
        const F32 in = load_lanes(row + offset_, lanes_);
        unroll<Begin, End>([&](auto age) {
          constexpr int kw = age * F::SW + J;
          if constexpr (kw < F::KW) {
            unroll<0, R>([&](auto oy) {
              constexpr int kh = iy - oy * F::SH;
              F32& a = acc_[(Phase + kPhases - age) % kPhases][oy];
              if constexpr (kh >= 0 && kh < F::KH) a = fma(in, taps_[kw * F::KH + kh], a);
            });
          }
        });
      });
    }
    ++column_;
    offset_ += pixel_;
  }

  /// Stores the oldest output in progress.
  template <int Phase>
  [[gnu::always_inline]] inline void finish() {
    const F32 lo = broadcast(lo_), hi = broadcast(hi_);
    unroll<0, R>([&](auto oy) { store_lanes(y_ + oy * y_row_, clip(acc_[(Phase + 1) % kPhases][oy], lo, hi), lanes_); });
    y_ += y_pixel_;
  }

  const float* const* rows_;
  std::int64_t column_, width_, offset_, pixel_;
  float* y_;
  std::int64_t y_row_, y_pixel_;
  Lanes lanes_;
  float lo_, hi_;
  F32 bias_;
  F32 taps_[F::KH * F::KW];
  F32 acc_[kPhases][R];
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
