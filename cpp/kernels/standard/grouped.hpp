// Grouped convolutions of few channels a group: lanes are groups.
//
// Of adjacent channels a vector would hold several groups, each of which needs other inputs. So rows of the input are separated into
// planes, one for each channel of a group: a vector of a plane is that channel of as many groups, and meets a vector of weights for each
// output channel. Sums have the order of a matrix product: rows of the filter, its columns, channels.
#pragma once

#include "kernels/grouped_work.hpp"
#include "kernels/registry.hpp"
#include "kernels/standard/lane_tile.hpp"
#include "kernels/standard/taps.hpp"
#include "kernels/tensor_work.hpp"
#include "simd/square.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

extern const KernelList unit_transpose;

/// N channels of as many groups as a vector has lanes: adjacent channels in memory, and vectors of one channel.
template <int N>
struct GroupVectors {
  F32 v[N];

  [[gnu::always_inline]] inline void separate() {
    if constexpr (N == kLanes) return transpose_lanes(v);
    for_each_bit<N>([&] {
      F32 t[N];
      unroll<0, N / 2>([&](auto i) {
        t[i] = even_lanes(v[2 * i], v[2 * i + 1]);
        t[i + N / 2] = odd_lanes(v[2 * i], v[2 * i + 1]);
      });
      unroll<0, N>([&](auto i) { v[i] = t[i]; });
    });
  }
  [[gnu::always_inline]] inline void join() {
    if constexpr (N == kLanes) return transpose_lanes(v);
    for_each_bit<N>([&] {
      F32 t[N];
      unroll<0, N / 2>([&](auto i) {
        t[2 * i] = zip_lower(v[i], v[i + N / 2]);
        t[2 * i + 1] = zip_upper(v[i], v[i + N / 2]);
      });
      unroll<0, N>([&](auto i) { v[i] = t[i]; });
    });
  }
  [[gnu::always_inline]] inline void load_all(const float* p, std::int64_t step) {
    unroll<0, N>([&](auto i) { v[i] = load(p + i * step); });
  }
  [[gnu::always_inline]] inline void store_all(float* p, std::int64_t step) {
    unroll<0, N>([&](auto i) { store(p + i * step, v[i]); });
  }
};

/// Of each pixel of a row.
template <int N>
inline void separate_groups(const float* x, std::int64_t pixels, std::int64_t x_pixel, float* y, std::int64_t plane) {
  for (std::int64_t i = 0; i < pixels; ++i, x += x_pixel, y += kLanes) {
    GroupVectors<N> g;
    g.load_all(x, kLanes);
    g.separate();
    g.store_all(y, plane);
  }
}
template <int N>
inline void join_groups(const float* x, std::int64_t plane, std::int64_t pixels, float* y, std::int64_t y_pixel) {
  for (std::int64_t i = 0; i < pixels; ++i, x += kLanes, y += y_pixel) {
    GroupVectors<N> g;
    g.load_all(x, plane);
    g.join();
    g.store_all(y, kLanes);
  }
}

/// f(plane) for as many planes of a square as there are.
template <class F>
[[gnu::always_inline]] inline void for_each_plane(std::int64_t planes, const F& f) {
  unroll<0, kLanes>([&](auto r) {
    if (r < planes) f(r);
  });
}

/// The same of more than four channels a group, by squares, whose last columns may be of the next group: 3x3, 28x28x48 in 8 groups takes
/// 0.87 of what a transposition for each pixel takes, and lanes pay for more layers: 38x80x96 in 16 groups with stride 2 takes 0.38 (Zen 3,
/// AVX2, 2026-11-29). Three channels take 1.1 so.
constexpr bool kSquaresOfGroups = kLanes == 8;
/// Of a group, in the square that begins at one: only the last group's may not be stored beyond them.
inline int columns_from(std::int64_t c, std::int64_t channels) { return static_cast<int>(channels - c < kLanes ? channels - c : kLanes); }

[[gnu::noinline]] inline void separate_squares(const float* x, std::int64_t channels, std::int64_t pixels, std::int64_t x_pixel, float* y,
                                               std::int64_t plane) {
  for (std::int64_t i = 0; i < pixels; ++i, x += x_pixel, y += kLanes) {
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      F32 v[kLanes];
      const float* p = x + c;
      unroll<0, kLanes - 1>([&](auto r) { v[r] = load(p), p = opaque(p + channels); });
      v[kLanes - 1] = load_up_to(p, columns_from(c, channels));
      transpose_lanes(v);
      for_each_plane(channels - c, [&](auto r) { store(y + (c + r) * plane, v[r]); });
    }
  }
}
/// The last square first: the others put back what it stores of next groups.
[[gnu::noinline]] inline void join_squares(const float* x, std::int64_t plane, std::int64_t channels, std::int64_t pixels, float* y,
                                           std::int64_t y_pixel) {
  for (std::int64_t i = 0; i < pixels; ++i, x += kLanes, y += y_pixel) {
    for (std::int64_t c = (channels - 1) / kLanes * kLanes; c >= 0; c -= kLanes) {
      F32 v[kLanes] = {};
      for_each_plane(channels - c, [&](auto r) { v[r] = load(x + (c + r) * plane); });
      transpose_lanes(v);
      float* p = y + c;
      unroll<0, kLanes - 1>([&](auto r) { store(p, v[r]), p = opaque(p + channels); });
      store_up_to(p, v[kLanes - 1], columns_from(c, channels));
    }
  }
}

/// Some output rows and what they read.
class GroupedBlock {
 public:
  GroupedBlock(const GroupedWork& w, std::int64_t row, std::int64_t rows)
      : g_(w),
        w_(w.conv),
        outputs_(w.conv.gemm.columns),
        row_(row),
        rows_(rows),
        down_(row, rows, w_.kh, w_.stride_h, w_.dilation_h, w_.pad_top, w_.height),
        along_(0, w_.out_width, w_.kw, w_.stride_w, w_.dilation_w, w_.pad_left, w_.width),
        sizes_(kLanes, w_.channels, outputs_, along_.size(), w_.out_width),
        x_(w.scratch),
        y_(w.scratch + down_.size() * sizes_.x_row) {}

  void run() {
    const TapAxis down(row_ + rows_, w_.stride_h, w_.pad_top, w_.dilation_h, w_.height, {0, w_.kh});
    const TapAxis along(w_.out_width, w_.stride_w, w_.pad_left, w_.dilation_w, w_.width, {0, w_.kw});
    for (std::int64_t v = g_.v_begin; v < g_.v_end; ++v) {
      const std::int64_t left = g_.groups - v * kLanes, lanes = left < kLanes ? left : kLanes;
      separate(v, lanes);
      for_each_tap_run(down, row_, row_ + rows_, [&](const TapRun& rows) {
        for_each_tap_run(along, 0, w_.out_width, [&](const TapRun& columns) { add(v, down, along, rows, columns); });
      });
      join(v, lanes);
    }
    finish();
  }

 private:
  static void transpose(const float* x, std::int64_t x_row, float* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
    const TransposeWork t{x, y, x_row, y_row, rows, columns};
    unit_transpose.entries[0].run(&t);
  }

  void separate(std::int64_t v, std::int64_t lanes) {
    const std::int64_t pixels = along_.size(), pixel = w_.x_pixel, plane = sizes_.x_plane;
    if (lanes < kLanes) {
      for (std::int64_t i = 0; i < down_.size() * sizes_.x_row; i += kLanes) store(x_ + i, broadcast(0.0F));
    }
    for (std::int64_t r = 0; r < down_.size(); ++r) {
      const float* from = w_.gemm.a + ((down_.begin + r) * w_.x_row + along_.begin * pixel + v * kLanes * w_.channels);
      float* to = x_ + r * sizes_.x_row;
      if (lanes == kLanes && w_.channels == 2) {
        separate_groups<2>(from, pixels, pixel, to, plane);
      } else if (lanes == kLanes && w_.channels == 4) {
        separate_groups<4>(from, pixels, pixel, to, plane);
      } else if (kLanes > 8 && lanes == kLanes && w_.channels == 8) {
        separate_groups<8>(from, pixels, pixel, to, plane);
      } else if (kSquaresOfGroups && lanes == kLanes && w_.channels > 4) {
        separate_squares(from, w_.channels, pixels, pixel, to, plane);
      } else {
        for (std::int64_t i = 0; i < pixels; ++i) transpose(from + i * pixel, w_.channels, to + i * kLanes, plane, lanes, w_.channels);
      }
    }
  }

  void join(std::int64_t v, std::int64_t lanes) const {
    const std::int64_t pixels = w_.out_width, pixel = w_.y_pixel, plane = sizes_.y_plane;
    for (std::int64_t r = 0; r < rows_; ++r) {
      const float* from = y_ + r * sizes_.y_row;
      float* to = w_.gemm.y + ((row_ + r) * w_.y_row + v * kLanes * outputs_);
      if (lanes == kLanes && outputs_ == 2) {
        join_groups<2>(from, plane, pixels, to, pixel);
      } else if (lanes == kLanes && outputs_ == 4) {
        join_groups<4>(from, plane, pixels, to, pixel);
      } else if (kLanes > 8 && lanes == kLanes && outputs_ == 8) {
        join_groups<8>(from, plane, pixels, to, pixel);
      } else if (kSquaresOfGroups && lanes == kLanes && outputs_ > 4) {
        join_squares(from, plane, outputs_, pixels, to, pixel);
      } else {
        for (std::int64_t i = 0; i < pixels; ++i) transpose(from + i * kLanes, plane, to + i * pixel, outputs_, outputs_, lanes);
      }
    }
  }

  /// Outputs that meet the same taps, along whichever axis fills tiles.
  void add(std::int64_t v, const TapAxis& down, const TapAxis& along, const TapRun& rows, const TapRun& columns) {
    const std::int64_t x_row = w_.stride_h * sizes_.x_row, x_pixel = w_.stride_w * kLanes, filter = w_.kh * w_.kw * w_.channels * kLanes;
    const bool across = columns.size() >= lane_vectors(4) || columns.size() >= rows.size(), clips = w_.gemm.residual == nullptr;
    LaneLine t;
    t.taps = w_.segments;
    t.tap_count = 0;
    for (std::int64_t r = rows.taps.begin; r < rows.taps.end; ++r) {
      for (std::int64_t k = columns.taps.begin; k < columns.taps.end; ++k) {
        const std::int64_t row = down.input(rows.begin, r) - down_.begin, pixel = along.input(columns.begin, k) - along_.begin;
        w_.segments[t.tap_count++] = {row * sizes_.x_row + pixel * kLanes, (r * w_.kw + k) * w_.channels, w_.channels};
      }
    }
    t.count = across ? columns.size() : rows.size();
    t.x_step = across ? x_pixel : x_row;
    t.y_step = across ? kLanes : sizes_.y_row;
    t.x_plane = sizes_.x_plane;
    t.y_plane = sizes_.y_plane;
    t.lo = clips ? epilogue_lo(w_.gemm.activation) : -__builtin_inff();
    t.hi = clips ? epilogue_hi(w_.gemm.activation) : __builtin_inff();
    t.weights = w_.gemm.b + v * filter * outputs_;
    t.bias = w_.gemm.bias + v * outputs_ * kLanes;
    float* const y = y_ + ((rows.begin - row_) * sizes_.y_row + columns.begin * kLanes);
    for (std::int64_t c = 0, n = 0; c < outputs_; c += n, t.weights += n * filter, t.bias += n * kLanes) {
      n = group_columns(outputs_ - c);
      t.width = n * kLanes;
      const std::int64_t lines = across ? rows.size() : columns.size();
      for (std::int64_t line = 0; line < lines; ++line) {
        t.x = x_ + line * (across ? x_row : x_pixel);
        t.y = y + (line * (across ? sizes_.y_row : kLanes) + c * sizes_.y_plane);
        n == 4 ? lane_line<LaneWeights, 4>(t) : n == 2 ? lane_line<LaneWeights, 2>(t) : lane_line<LaneWeights, 1>(t);
      }
    }
  }

  /// Residuals, and activations that are no clips.
  void finish() const {
    const GemmWork& w = w_.gemm;
    if (w.residual == nullptr && w.activation.kind == ActivationKind::clip) return;
    const std::int64_t first = g_.v_begin * kLanes, end = g_.v_end * kLanes < g_.groups ? g_.v_end * kLanes : g_.groups;
    for (std::int64_t row = row_; row < row_ + rows_; ++row) {
      float* const y = w.y + (row * w_.y_row + first * outputs_);
      if (w.residual == nullptr) {
        activate_block(y, w_.out_width, w_.y_pixel, (end - first) * outputs_, w.activation);
      } else {
        add_block(w.residual + (row * w_.residual_row + first * outputs_), w_.residual_pixel, y, w_.out_width, w_.y_pixel,
                  (end - first) * outputs_, w.activation);
      }
    }
  }

  const GroupedWork& g_;
  const StandardWork& w_;
  const std::int64_t outputs_, row_, rows_;
  const InputSpan down_, along_;
  const GroupedSizes sizes_;
  float *const x_, *const y_;
};

inline void grouped(const GroupedWork& w) {
  for (std::int64_t row = w.conv.y_begin; row < w.conv.y_end; row += w.block_rows) {
    const std::int64_t left = w.conv.y_end - row;
    GroupedBlock(w, row, left < w.block_rows ? left : w.block_rows).run();
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
