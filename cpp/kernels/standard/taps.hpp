// Which taps of a filter a position meets: blocks of taps, and runs of positions along an axis that meet the same taps of a block.
#pragma once

#include "kernels/ranges.hpp"
#include "kernels/standard_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Taps [begin, end) of one axis.
struct TapSpan {
  std::int64_t begin, end;
};

/// [begin, end) of an axis of the input: what outputs [first, first + outputs) read.
struct InputSpan {
  std::int64_t begin, end;

  InputSpan(std::int64_t first, std::int64_t outputs, std::int64_t taps, std::int64_t stride, std::int64_t dilation, std::int64_t pad,
            std::int64_t size) {
    const auto inside = [&](std::int64_t at) { return at < 0 ? 0 : at < size ? at : size; };
    begin = inside(first * stride - pad);
    end = inside((first + outputs - 1) * stride - pad + (taps - 1) * dilation + 1);
  }
  std::int64_t size() const { return end - begin; }
};

/// Rows and columns of the filter, and channels [channel, channel + channels) of each tap.
struct TapBlock {
  TapSpan rows, columns;
  std::int64_t channel, channels;
};

/// f(block) for the blocks of a filter, in the order of its sum: rows, columns, channels.
template <class F>
inline void for_each_tap_block(const StandardWork& w, const F& f) {
  if (w.block_taps == 0) return f(TapBlock{{0, w.kh}, {0, w.kw}, 0, w.channels});
  for (std::int64_t r = 0; r < w.kh; ++r) {
    for (std::int64_t c = 0; c < w.kw; c += w.block_taps) {
      const std::int64_t end = c + w.block_taps < w.kw ? c + w.block_taps : w.kw;
      for (std::int64_t channel = 0; channel < w.channels; channel += w.block_channels) {
        const std::int64_t left = w.channels - channel;
        f(TapBlock{{r, r + 1}, {c, end}, channel, left < w.block_channels ? left : w.block_channels});
      }
    }
  }
}

/// One axis of a convolution, for some taps of it.
struct TapAxis {
  std::int64_t stride, pad, dilation, size;  ///< pad: of tap 0
  TapSpan taps;
  InsideRange inside;

  TapAxis(std::int64_t outputs, std::int64_t stride_of, std::int64_t pad_of, std::int64_t dilation_of, std::int64_t size_of, TapSpan some)
      : stride(stride_of),
        pad(pad_of),
        dilation(dilation_of),
        size(size_of),
        taps(some),
        inside(outputs, stride_of, pad_of - some.begin * dilation_of, dilation_of, some.end - some.begin, size_of) {}

  /// Those of the taps that lie in the input.
  TapSpan at(std::int64_t out) const {
    const TapRange range(out, stride, pad - taps.begin * dilation, dilation, taps.end - taps.begin, size);
    return {taps.begin + range.begin, taps.begin + range.end};
  }
  /// The input index of a tap.
  std::int64_t input(std::int64_t out, std::int64_t tap) const { return out * stride - pad + tap * dilation; }
  /// The end, at most `most`, of the run of positions that begins at `out` and meets the same taps.
  std::int64_t run_end(std::int64_t out, TapSpan same, std::int64_t most) const {
    if (out >= inside.begin && out < inside.end) return inside.end < most ? inside.end : most;
    for (++out; out < most && out != inside.begin; ++out) {
      const TapSpan next = at(out);
      if (next.begin != same.begin || next.end != same.end) break;
    }
    return out;
  }
};

/// Positions [begin, end) of an axis that meet the same taps.
struct TapRun {
  std::int64_t begin, end;
  TapSpan taps;

  bool empty() const { return taps.begin == taps.end; }
  std::int64_t size() const { return end - begin; }
};

/// f(run) for the runs of positions [begin, end).
template <class F>
inline void for_each_tap_run(const TapAxis& axis, std::int64_t begin, std::int64_t end, const F& f) {
  while (begin < end) {
    const TapSpan taps = axis.at(begin);
    const std::int64_t next = axis.run_end(begin, taps, end);
    f(TapRun{begin, next, taps});
    begin = next;
  }
}

/// Segments of some taps, counted from the first tap of the runs: inputs of pixels side by side are one segment of each filter row.
inline std::int64_t make_segments(const StandardWork& w, TapSpan rows, TapSpan columns, const TapBlock& block) {
  const bool merged = w.dilation_w == 1 && w.x_pixel == w.channels && block.channels == w.channels;
  const std::int64_t per_row = merged ? 1 : columns.end - columns.begin;
  const std::int64_t length = merged ? (columns.end - columns.begin) * w.channels : block.channels;
  std::int64_t n = 0;
  for (std::int64_t r = rows.begin; r < rows.end; ++r) {
    for (std::int64_t c = 0; c < per_row; ++c) {
      const std::int64_t a = (r - rows.begin) * w.dilation_h * w.x_row + c * w.dilation_w * w.x_pixel + block.channel;
      w.segments[n++] = {a, (r * w.kw + columns.begin + c) * w.channels + block.channel, length};
    }
  }
  return n;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
