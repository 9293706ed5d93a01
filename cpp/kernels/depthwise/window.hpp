// Depthwise outputs from copies of the windows of the input that they read: of one vector of channels at a time, with whatever the
// multiplier repeats repeated, and a part of a vector made whole.
#pragma once

#include "kernels/depthwise/axis.hpp"
#include "kernels/depthwise/channels.hpp"
#include "kernels/registry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Outputs of whole vectors of channels, without multiplier; compiled with the generic kernel.
void whole_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end);

/// The generic kernel.
void depthwise_generic(const DepthwiseWork& w);

extern const KernelList unit_depthwise_3x3, unit_depthwise_5x5_s1, unit_depthwise_5x5_s2, unit_depthwise_7x7_s1, unit_depthwise_7x7_s2;

using WindowKernel = void (*)(const void*);

/// What computes whole vectors of channels from windows: the kernel of the filter without multiplier. 28x28 2->64 on AVX2 takes 14 us so,
/// by the generic kernel 41.
inline WindowKernel window_kernel(const DepthwiseWork& w) {
  if (w.kh == w.kw && w.stride_h == w.stride_w && w.dilation_h == 1 && w.dilation_w == 1) {
    for (const KernelList* list :
         {&unit_depthwise_3x3, &unit_depthwise_5x5_s1, &unit_depthwise_5x5_s2, &unit_depthwise_7x7_s1, &unit_depthwise_7x7_s2}) {
      for (int i = 0; i < list->count; ++i) {
        const KernelEntry& e = list->entries[i];
        if (e.takes.kh == w.kh && e.takes.stride_h == w.stride_h) return e.run;
      }
    }
  }
  return [](const void* part) {
    const auto& p = *static_cast<const DepthwiseWork*>(part);
    whole_blocks(p, p.v_begin, p.v_end);
  };
}

/// Output rows [begin, end) of the work; both count from y_begin.
inline DepthwiseWork rows_of_work(const DepthwiseWork& w, std::int64_t begin, std::int64_t end) {
  DepthwiseWork part = w;
  part.y += begin * w.y_row;
  if (w.residual != nullptr) part.residual += begin * w.residual_row;
  if (w.row_sums != nullptr) part.row_sums += begin * w.row_sums_stride;
  part.y_begin += begin;
  part.y_end = w.y_begin + end;
  return part;
}

/// Outputs whose window is copied at a time: of whole rows where four of them fit, else of a few rows as many columns as fit; none where
/// too few do. 32 KB, with few registers twice as much rather than rows that share few: on Zen 3 56x56x128 31x31 22.0 -> 12.1 ms, 21x21 of
/// stride 2 2.7 -> 1.7, 56x56x256 17x17 11.8 -> 8.2, 112x112 2->8 7x7 0.33 -> 0.18.
struct WindowSize {
  static constexpr std::int64_t kVectors = 8192 / kLanes, kMost = (kRegisters < 32 ? 2 : 1) * kVectors;
  std::int64_t rows, columns;

  WindowSize(const Axis& down, const Axis& across) {
    choose(down, across, kVectors);
    if (kMost > kVectors && (columns == 0 || (rows < 4 && rows < down.outputs))) choose(down, across, kMost);
  }

  /// Vectors of channels whose windows lie next to each other: of small images calls of kernels cost more than they compute. 32 would be
  /// copied by strips, as pixels 1 KB apart are: at most 2, 8, 16, 30, 62 or 126 vectors take 24, 11, 8.1, 5.3, 6.9, 7.0 us of 2x2
  /// 256->1024 2x2 on Zen 3 (2026-11-30). Of more than kFewTaps the kernel would copy these windows again.
  std::int64_t together(const Axis& down, const Axis& across) const {
    const std::int64_t pixels = reach(down, rows) * reach(across, columns);
    return kRegisters == 32 || pixels == 0 || down.taps * across.taps > kFewTaps ? 1 : at_least(at_most(kVectors / pixels, 30) / 2 * 2, 1);
  }

  /// Columns of outputs whose window of all rows fits, or 0. For high filters: 56x56x64 51x5 on AVX2 by windows of two rows took 2160 us,
  /// so 1040.
  static std::int64_t all_rows(const Axis& down, const Axis& across, std::int64_t vectors = kVectors) {
    return columns_of_window(at_least(down.size, 1), across, vectors);
  }

 private:
  /// Input positions that so many outputs read, at most.
  static std::int64_t reach(const Axis& a, std::int64_t outputs) {
    return at_most((outputs - 1) * a.stride + (a.taps - 1) * a.dilation + 1, a.size);
  }

  void choose(const Axis& down, const Axis& across, std::int64_t vectors) {
    columns = across.outputs;
    const std::int64_t high = at_most(vectors / at_least(across.size, 1), down.size);
    rows = high == down.size ? down.outputs : (high - (down.taps - 1) * down.dilation - 1 + down.stride) / down.stride / 4 * 4;
    if (rows >= 4 || rows == down.outputs) return;
    if (const std::int64_t high_columns = all_rows(down, across, vectors); high_columns > 0 && down.taps > 2 * across.taps) {
      rows = down.outputs;
      columns = high_columns;
      return;
    }
    rows = at_most(down.taps == 1 ? 4 : kRegisters / 8, down.outputs);
    // At least one row, so that nothing is divided by none where there are no outputs.
    const std::int64_t few = at_least(at_most((rows - 1) * down.stride + (down.taps - 1) * down.dilation + 1, down.size), 1);
    columns = columns_of_window(few, across, vectors);
  }

  static std::int64_t columns_of_window(std::int64_t rows_of_input, const Axis& across, std::int64_t vectors) {
    const std::int64_t room = vectors / rows_of_input - ((across.taps - 1) * across.dilation + 1);
    return room >= 7 * across.stride ? at_most((room / across.stride + 1) / 8 * 8, across.outputs) : 0;
  }
};

/// Input positions that outputs [first, first + count) of an axis read.
struct Span {
  std::int64_t begin, end;
  Span(const Axis& a, std::int64_t first, std::int64_t count) {
    const std::int64_t start = first * a.stride - a.pad, stop = start + (count - 1) * a.stride + (a.taps - 1) * a.dilation + 1;
    begin = at_most(at_least(start, 0), a.size);
    end = at_least(at_most(stop, a.size), begin);
  }
};

/// Outputs [row, row + rows) x [column, column + columns) of vectors [v, v_end), from one copy of the window that they share, or from
/// copies of their own, which lie next to each other.
template <class Channels>
inline void window_block(const DepthwiseWork& w, WindowKernel run, const Axis& down, const Axis& across, std::int64_t row,
                         std::int64_t rows, std::int64_t column, std::int64_t columns, std::int64_t v, std::int64_t v_end, bool shared) {
  alignas(64) float window[WindowSize::kMost * kLanes];
  const Span y(down, row, rows), x(across, column, columns);
  const std::int64_t apart = shared ? kLanes : (v_end - v) * kLanes;
  for (std::int64_t from_v = v; from_v < (shared ? v + 1 : v_end); ++from_v) {
    const Channels channels(w, from_v);
    float* to = window + (from_v - v) * kLanes;
    for (std::int64_t r = y.begin; r < y.end; ++r) {
      const float* from = input_row(w, r) + x.begin * w.x_pixel + Channels::offset(w, from_v);
      for (std::int64_t i = x.begin; i < x.end; ++i, from += w.x_pixel, to += apart) store(to, channels(from));
    }
  }
  DepthwiseWork part = w;
  part.x = window;
  part.x_pixel = apart;
  part.x_row = (x.end - x.begin) * apart;
  part.x_vector = apart == kLanes ? 0 : kLanes;
  part.weights += v * w.kh * w.kw * kLanes;
  part.bias += v * kLanes;
  part.channels -= v * kLanes;
  part.height = part.ring = y.end - y.begin;
  part.width = x.end - x.begin;
  part.pad_top = y.begin - (row * down.stride - down.pad);
  part.pad_left = x.begin - (column * across.stride - across.pad);
  part.y = w.y + row * w.y_row + column * w.y_pixel + v * kLanes;
  part.y_begin = 0;
  part.y_end = rows;
  part.out_width = columns;
  part.multiplier = 1;
  part.finish = false;
  part.row_sums = nullptr;
  part.v_begin = 0;
  // Sliding kernels take a part of a vector where there are masks.
  const std::int64_t vectors = v_end - v;
  part.v_end = kMasks && w.kh == 3 && columns >= 3 ? vectors : at_most(vectors, part.channels / kLanes);
  if (part.v_end > 0) run(&part);
  if (part.v_end < vectors) whole_blocks(part, part.v_end, vectors);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
