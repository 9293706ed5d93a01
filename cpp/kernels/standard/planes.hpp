// Standard convolution of few output channels: lanes are positions of a row, not output channels, most of which would be none.
//
// Each row of the input becomes planes of its channels once and meets the output rows that its taps belong to, from top to bottom, so that
// sums have the order of a matrix product: rows of the filter, its columns, channels.
#pragma once

#include "kernels/registry.hpp"
#include "kernels/standard_work.hpp"
#include "kernels/tensor_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

extern const KernelList unit_transpose;

/// Some taps of filter rows that meet the same input row, for a block of positions.
struct PlaneTaps {
  static constexpr int kMost = 4;
  float* sums[kMost];  ///< of an output channel in the output row that the filter row is for
  const float* weights[kMost];
  const float* x;  ///< plane 0, at the first position of tap 0
  std::int64_t plane, tap, taps, channels;
  std::int64_t width;               ///< from one row of weights to the next
  std::int64_t begin, end, exists;  ///< positions that meet these taps, and up to where there are any, counted from the block's first
};

template <int Sums, int V>
[[gnu::flatten, gnu::noinline]] inline void add_plane_taps(const PlaneTaps& t) {
  constexpr std::int64_t kPositions = V * kLanes;
  F32 acc[Sums][V];
  const float* weights[Sums];
  unroll<0, Sums>([&](auto s) {
    weights[s] = t.weights[s];
    unroll<0, V>([&](auto v) { acc[s][v] = load(t.sums[s] + v * kLanes); });
  });
  const std::int64_t width = t.width, plane = t.plane;
  std::int64_t row = 0;
  for (std::int64_t k = 0; k < t.taps; ++k) {
    const float* x = t.x + k * t.tap;
    for (std::int64_t channel = 0; channel < t.channels; ++channel, x += plane, row += width) {
      F32 in[V];
      unroll<0, V>([&](auto v) { in[v] = load(x + v * kLanes); });
      unroll<0, Sums>([&](auto s) {
        const F32 weight = broadcast(weights[s][row]);
        unroll<0, V>([&](auto v) { acc[s][v] = fma(in[v], weight, acc[s][v]); });
      });
    }
  }
  // Positions that do not meet the taps keep what they had.
  const std::int64_t exist = t.exists < kPositions ? t.exists : kPositions, begin = t.begin < exist ? t.begin : exist;
  float kept[Sums][kPositions];
  const auto move = [&](bool back) __attribute__((always_inline)) {
    for (int s = 0; s < Sums; ++s) {
      float *const from = back ? kept[s] : t.sums[s], *const to = back ? t.sums[s] : kept[s];
      for (std::int64_t i = 0; i < begin; ++i) to[i] = from[i];
      for (std::int64_t i = t.end; i < exist; ++i) to[i] = from[i];
    }
  };
  move(false);
  unroll<0, Sums * V>([&](auto i) { store(t.sums[i / V] + i % V * kLanes, acc[i / V][i % V]); });
  move(true);
}

using AddPlaneTaps = void (*)(const PlaneTaps&);
/// Of 1, 2 and 4 sums; of two vectors of positions, and of as many as there are registers for.
constexpr int kWideOfFour = kRegisters >= 32 ? 4 : 2;
constexpr AddPlaneTaps kAddPlaneTaps[3][2] = {{add_plane_taps<1, 2>, add_plane_taps<1, 4>},
                                              {add_plane_taps<2, 2>, add_plane_taps<2, 4>},
                                              {add_plane_taps<4, 2>, add_plane_taps<4, kWideOfFour>}};

class PlaneWalk {
 public:
  PlaneWalk(const StandardWork& w, std::int64_t width, std::int64_t outputs)
      : w_(w), width_(width), outputs_(outputs), sizes_(w.out_width, w.kw, w.dilation_w), sums_(w.planes + w.channels * sizes_.plane) {}

  /// Sums of all positions, as panels have them, to w.sums.
  void run() {
    for (std::int64_t i = 0; i < w_.channels * sizes_.plane; ++i) w_.planes[i] = 0;
    const std::int64_t rows = w_.y_end - w_.y_begin;
    for (std::int64_t i = 0; i < rows * outputs_; ++i) {
      for (std::int64_t p = 0; p < sizes_.positions; ++p) sums_[i * sizes_.positions + p] = w_.gemm.bias[i % outputs_];
    }
    const std::int64_t begin = w_.y_begin * w_.stride_h - w_.pad_top,
                       end = (w_.y_end - 1) * w_.stride_h - w_.pad_top + (w_.kh - 1) * w_.dilation_h + 1;
    for (std::int64_t iy = begin > 0 ? begin : 0; iy < end && iy < w_.height; ++iy) add_input_row(iy);
    float* to = w_.sums;
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* const from = sums_ + row * outputs_ * sizes_.positions;
      for (std::int64_t p = 0; p < w_.out_width; ++p, to += width_) {
        for (std::int64_t c = 0; c < outputs_; ++c) to[c] = from[c * sizes_.positions + p];
      }
    }
  }

 private:
  /// Every filter row that meets it, for every output channel: as many sums at a time as there are registers for.
  void add_input_row(std::int64_t iy) {
    PlaneTaps t{{}, {}, nullptr, sizes_.plane, w_.dilation_w, w_.kw, w_.channels, width_, 0, 0, 0};
    bool loaded = false;
    int count = 0;
    for (std::int64_t kh = 0; kh < w_.kh; ++kh) {
      const std::int64_t at = iy + w_.pad_top - kh * w_.dilation_h, oy = at / w_.stride_h;
      if (at < 0 || at % w_.stride_h != 0 || oy < w_.y_begin || oy >= w_.y_end) continue;
      if (!loaded) load_planes(iy);
      loaded = true;
      for (std::int64_t c = 0; c < outputs_; ++c) {
        t.sums[count] = sums_ + ((oy - w_.y_begin) * outputs_ + c) * sizes_.positions;
        t.weights[count] = w_.gemm.b + kh * w_.kw * w_.channels * width_ + c;
        if (++count == PlaneTaps::kMost) {
          add_row(t, 0, 2);
          count = 0;
        }
      }
    }
    if ((count & 2) != 0) add_row(t, 0, 1);
    if ((count & 1) != 0) add_row(t, count - 1, 0);
  }

  /// The input columns that this work reads, behind as many zeros as it has padding: those are computed with, but not stored.
  void load_planes(std::int64_t iy) {
    const std::int64_t first = w_.pad_left < 0 ? -w_.pad_left : 0, to = w_.pad_left < 0 ? 0 : w_.pad_left;
    const std::int64_t reach = w_.out_width + (w_.kw - 1) * w_.dilation_w - to, exist = w_.width - first;
    const std::int64_t count = reach < exist ? reach : exist;
    if (count <= 0) return;
    const TransposeWork t{w_.gemm.a + iy * w_.x_row + first * w_.x_pixel, w_.planes + to, w_.x_pixel, sizes_.plane, count, w_.channels};
    unit_transpose.entries[0].run(&t);
  }

  /// All positions, for 2^log2_sums sums from `first` on.
  void add_row(const PlaneTaps& all, int first, int log2_sums) const {
    for (std::int64_t p = 0; p < w_.out_width;) {
      PlaneTaps t = all;
      for (int s = 0; s < 1 << log2_sums; ++s) {
        t.sums[s] = all.sums[first + s] + p;
        t.weights[s] = all.weights[first + s];
      }
      const bool wide = w_.out_width - p > 2 * kLanes && (log2_sums < 2 || kWideOfFour == 4);
      const std::int64_t positions = (wide ? 4 : 2) * kLanes;
      add_block(t, p, positions, 1 << log2_sums, kAddPlaneTaps[log2_sums][wide ? 1 : 0]);
      p += positions;
    }
  }

  /// All taps at once where all positions from p on meet them, else each by itself.
  void add_block(PlaneTaps& t, std::int64_t p, std::int64_t positions, int sums, AddPlaneTaps add) const {
    const std::int64_t last = (w_.kw - 1) * w_.dilation_w, begin = w_.pad_left - p, end = begin + w_.width;
    t.exists = w_.out_width - p;
    t.x = w_.planes + p;
    if (begin <= 0 && end - last >= (t.exists < positions ? t.exists : positions)) {
      t.end = positions;
      return add(t);
    }
    t.taps = 1;
    for (std::int64_t k = 0; k < w_.kw; ++k) {
      t.x = w_.planes + (p + k * w_.dilation_w);
      t.begin = begin - k * w_.dilation_w;
      t.end = end - k * w_.dilation_w;
      if (t.end > 0 && t.begin < positions) add(t);
      for (int s = 0; s < sums; ++s) t.weights[s] += w_.channels * width_;
    }
  }

  const StandardWork& w_;
  const std::int64_t width_, outputs_;
  const PlaneSizes sizes_;
  float* const sums_;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
