// Depthwise convolution for every filter size, stride, dilation and channel multiplier: which blocks, in which order.
#pragma once

#include <utility>

#include "kernels/depthwise/blocks.hpp"
#include "kernels/depthwise/pool.hpp"
#include "kernels/depthwise/window.hpp"
#include "kernels/ranges.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Heights and widths of blocks. On 16 registers 3x4 outputs, three weights and an input are all there is room for.
constexpr int kTall = kRegisters == 32 ? 4 : 3;
constexpr int kWide = 4;
/// Of rows that share no input; eight hide the latency of FMAs.
constexpr int kWidest = 8;

inline Axis rows_of(const DepthwiseWork& w) {
  return {w.height, w.y_end - w.y_begin, w.kh, w.stride_h, w.dilation_h, w.pad_top - w.y_begin * w.stride_h, w.x_row, w.y_row, w.ring};
}
inline Axis columns_of(const DepthwiseWork& w) {
  return {w.width, w.out_width, w.kw, w.stride_w, w.dilation_w, w.pad_left, w.x_pixel, w.y_pixel, w.width};
}

/// Taps between adjacent outputs that share inputs in groups, or 0.
inline int share_of(const Axis& a) { return a.stride == a.dilation ? 1 : a.stride == 2 * a.dilation ? 2 : 0; }

/// Outputs `Share` taps apart in groups of the tallest height that has a step in which all of them take part; one by one at last.
template <int Share, class F>
[[gnu::always_inline]] inline void for_groups(const Axis& down, const F& f) {
  const auto fits = [&](int height) { return down.outputs >= height && (height - 1) * Share <= down.taps; };
  std::int64_t i = 0;
  if (fits(kTall)) {
    for (; i + kTall <= down.outputs; i += kTall) f(Index<kTall>{}, Index<Share>{}, i);
    if (down.outputs - i > 2) return f(Index<kTall>{}, Index<Share>{}, down.outputs - kTall);
  }
  if (fits(2)) {
    for (; i + 2 <= down.outputs; i += 2) f(Index<2>{}, Index<Share>{}, i);
  }
  for (; i < down.outputs; ++i) f(Index<1>{}, Index<1>{}, i);
}

/// The outputs of the axis along which inputs are shared: one or two taps apart in groups, others one by one.
template <bool kShares, class F>
[[gnu::always_inline]] inline void for_heights(const Axis& down, const F& f) {
  if constexpr (kShares) {
    if (down.ring >= down.size) {
      if (share_of(down) == 1) return for_groups<1>(down, f);
      if (share_of(down) == 2) return for_groups<2>(down, f);
    }
  }
  for (std::int64_t i = 0; i < down.outputs; ++i) f(Index<1>{}, Index<1>{}, i);
}

/// Outputs of the other axis in a block.
constexpr int width_of(int height) { return height == 1 ? kWidest : kWide; }

/// f(position, outputs): the outputs of the other axis by blocks of `Width`, the last one shifted back where there are as many.
template <int Width, class F>
[[gnu::always_inline]] inline void for_widths(const Axis& across, const F& f) {
  for (std::int64_t i = 0; i < across.outputs; i += Width) {
    f(at_least(at_most(i, across.outputs - Width), 0), static_cast<int>(at_most(across.outputs, Width)));
  }
}

/// Whether blocks share inputs along the row instead: filters of one row. Of one row and column sums are in the same order.
inline bool shares_along_rows(const Axis& rows, const Axis& columns) {
  if (rows.ring < rows.size) return false;
  if (rows.taps == 1) return columns.taps > 1 && share_of(columns) > 0 && rows.outputs >= kWide;
  return columns.taps == 1 && columns.outputs < kWide && rows.outputs >= kWidest;
}

/// Blocks in the order of rows, whichever axis they share inputs along.
template <class Channels>
inline void area_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_last) {
  Axis down = rows_of(w), across = columns_of(w);
  const bool swapped = Channels::kShares && shares_along_rows(down, across);
  if (swapped) std::swap(down, across);
  const InsideRange inside(across.outputs, across.stride, across.pad, across.dilation, across.taps, across.size);
  // Strips of channels leave in the level-1 cache what the next block reads again, where blocks are small enough: 28x28x192 1x21 on AVX-512
  // 65 -> 51 us, on AVX2 118 -> 87, 6x6 88 -> 78, 167 -> 150.
  const std::int64_t lines = (down.taps + kTall - 1) * (across.taps + kWide - 1);
  const bool fits = lines * (v_last - v_begin) * kLanes <= 640 * 16;
  const std::int64_t strip = fits || lines > 250 ? v_last : at_least(at_most(384 / lines, 16), 1) * 16 / kLanes;
  const auto for_strips = [&](const auto& f) __attribute__((always_inline)) {
    for (std::int64_t v = v_begin; v < v_last; v += strip) f(v, at_most(v + strip, v_last));
  };
  const auto one = [&](const auto& steps, auto height, auto share, std::int64_t output, int outputs, std::int64_t first, std::int64_t end) {
    constexpr int kWidth = width_of(height);
    const BlockPlace<height, share> place{&w, &down, &across, &steps};
    if (steps.all && outputs == kWidth && output >= inside.begin && output + kWidth <= inside.end) {
      inner_block<Channels, height, kWidth>(place, output, first, end);
    } else {
      edge_block<Channels, height, kWidth>(place, output, outputs, first, end);
    }
  };
  if (!Channels::kShares || !swapped) {
    for_heights<Channels::kShares>(down, [&](auto height, auto share, std::int64_t row) {
      const Steps<height, share> steps(down, row);
      for_strips([&](std::int64_t v, std::int64_t v_end) {
        for_widths<width_of(height)>(across,
                                     [&](std::int64_t column, int columns) { one(steps, height, share, column, columns, v, v_end); });
      });
      finish_rows(w, row, height, v_begin, v_last);
    });
  } else {
    for_widths<kWide>(across, [&](std::int64_t row, int rows) {
      for_strips([&](std::int64_t v, std::int64_t v_end) {
        for_heights<Channels::kShares>(down, [&](auto height, auto share, std::int64_t column) {
          const Steps<height, share> steps(down, column);
          one(steps, height, share, row, rows, v, v_end);
        });
      });
      finish_rows(w, row, rows, v_begin, v_last);
    });
  }
}

/// Rows too few to share inputs along them in blocks across: kWide groups of a row's outputs make a block where all taps exist.
template <class Channels, int Share>
inline void row_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end) {
  constexpr int kOutputs = kTall * kWide;
  const Axis line = columns_of(w), groups{0, kWide, 1, 1, 1, 0, kTall * line.stride * line.x, kTall * line.y, 0};
  const Axis single{1, 1, 1, 1, 1, 0, 0, 0, 1};
  const InsideRange inside(line.outputs, line.stride, line.pad, line.dilation, line.taps, line.size);
  for (std::int64_t row = 0; row < w.y_end - w.y_begin; ++row) {
    DepthwiseWork whole = rows_of_work(w, row, row + 1);
    whole.finish = false;
    whole.row_sums = nullptr;
    const auto others = [&](std::int64_t begin, std::int64_t end) {
      DepthwiseWork part = whole;
      part.pad_left -= begin * w.stride_w;
      part.out_width = end - begin;
      part.y += begin * w.y_pixel;
      if (begin < end) area_blocks<Channels>(part, v_begin, v_end);
    };
    const float* const x = input_row(w, whole.y_begin * w.stride_h - w.pad_top);
    DepthwiseWork inner = whole;
    inner.x = x;
    // Outputs at a border that share inputs in groups, each by its taps: in blocks across they go tap by tap where these do not meet all.
    // 1x59x96 1x9 on Zen 3 5.3 -> 3.6 us.
    const auto border = [&](std::int64_t begin, std::int64_t end) {
      if (kLanes != 8 || kRegisters == 32 || x == nullptr) return others(begin, end);
      Axis some = line;
      some.outputs = end - begin;
      some.pad -= begin * line.stride;
      DepthwiseWork part = inner;
      part.y += begin * line.y;
      for_groups<Share>(some, [&](auto height, auto share, std::int64_t output) {
        const Steps<height, share> steps(some, output);
        edge_block<Channels, height, width_of(height)>(BlockPlace<height, share>{&part, &some, &single, &steps}, 0, 1, v_begin, v_end);
      });
    };
    if (x == nullptr || inside.end - inside.begin < kOutputs) {
      border(0, w.out_width);
    } else {
      border(0, inside.begin);
      for (std::int64_t i = inside.begin; i < inside.end; i += kOutputs) {
        const Steps<kTall, Share> steps(line, at_most(i, inside.end - kOutputs));
        inner_block<Channels, kTall, kWide>(BlockPlace<kTall, Share>{&inner, &line, &groups, &steps}, 0, v_begin, v_end);
      }
      border(inside.end, w.out_width);
    }
    finish_rows(w, row, 1, v_begin, v_end);
  }
}

template <class Channels>
inline void blocks_of(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end) {
  if constexpr (Channels::kShares) {
    const Axis line = columns_of(w);
    if (w.kh == 1 && w.y_end - w.y_begin < kWide) {
      if (share_of(line) == 1 && line.taps >= kTall - 1) return row_blocks<Channels, 1>(w, v_begin, v_end);
      if (share_of(line) == 2 && line.taps >= 2 * (kTall - 1)) return row_blocks<Channels, 2>(w, v_begin, v_end);
    }
  }
  area_blocks<Channels>(w, v_begin, v_end);
}

/// What copies a window, and how many vectors from v on are of the same inputs; so that the loop over windows is compiled once.
struct WindowCopy {
  decltype(&window_block<WholeChannels>) block;
  decltype(&WholeChannels::same) same;
  template <class Copy>
  static constexpr WindowCopy of() {
    return {window_block<Copy>, Copy::same};
  }
};

/// Blocks from copies of windows, where the filter is not too large.
template <class Channels>
[[gnu::noinline]] inline void windows_of(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end,
                                         const WindowCopy& copy = WindowCopy::of<Channels>()) {
  const Axis down = rows_of(w), across = columns_of(w);
  const WindowSize size(down, across);
  if (size.columns == 0) return blocks_of<Channels>(w, v_begin, v_end);
  const WindowKernel run = window_kernel(w);
  const std::int64_t together = size.together(down, across);
  for (std::int64_t row = 0; row < down.outputs; row += size.rows) {
    const std::int64_t rows = at_most(size.rows, down.outputs - row);
    for (std::int64_t column = 0; column < across.outputs; column += size.columns) {
      const std::int64_t columns = at_most(size.columns, across.outputs - column);
      for (std::int64_t v = v_begin, next = 0; v < v_end; v = next) {
        const std::int64_t same = copy.same(w, v);
        next = at_most(v + (same > 1 ? same : together), v_end);
        copy.block(w, run, down, across, row, rows, column, columns, v, next, same > 1);
      }
    }
    finish_rows(w, row, static_cast<int>(rows), v_begin, v_end);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
