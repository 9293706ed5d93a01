// Depthwise outputs from copies of strips of channels, for images whose pixels share sets of the level-1 cache: in a copy pixels are an odd
// number of lines apart, whatever they are apart in the image and wherever it begins.
#pragma once

#include "kernels/depthwise/lean_groups.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// How much is copied at a time: rows of outputs, and of channels so many lines. Eight lines where most of the rows fit.
struct StripSize {
  static constexpr std::int64_t kLine = 64 / sizeof(float), kPixels = 1024;  // 64 KB of lines
  std::int64_t rows, lines;

  explicit StripSize(const DepthwiseWork& w) : rows(0), lines(8) {
    const std::int64_t outputs = w.y_end - w.y_begin;
    for (; lines > 0; lines /= 2) {
      const std::int64_t high = kPixels / (lines + 1) / at_least(w.width, 1);
      rows = high >= w.height ? outputs : high < w.kh ? 0 : at_most((high - w.kh) / w.stride_h + 1, outputs);
      if (rows >= at_most(lines > 4 ? 8 : 4, outputs)) return;
    }
  }
  /// Whether whole lines of channels and some rows fit.
  bool fits(const DepthwiseWork& w) const { return lines > 0 && whole_lines(w); }
  static bool whole_lines(const DepthwiseWork& w) {
    return w.x_vector == kLanes && (w.v_begin * kLanes) % kLine == 0 && (w.v_end * kLanes) % kLine == 0 && w.v_end * kLanes <= w.channels;
  }
};

/// Computes the work by `run`, which takes parts of it, of one strip.
[[gnu::noinline]] inline void by_strips(const DepthwiseWork& w, const StripSize& size, void (*run)(const DepthwiseWork&)) {
  constexpr std::int64_t kLine = StripSize::kLine, kVectors = kLine / kLanes;
  alignas(64) float copy[StripSize::kPixels * kLine];
  const Axis down{w.height, w.y_end - w.y_begin, w.kh, w.stride_h, 1, w.pad_top - w.y_begin * w.stride_h, w.x_row, w.y_row, w.ring};
  for (std::int64_t row = 0; row < down.outputs; row += size.rows) {
    const std::int64_t rows = at_most(size.rows, down.outputs - row);
    const Span span(down, row, rows);
    DepthwiseWork part = w;
    part.x_pixel = (size.lines + 1) * kLine;
    part.x_row = w.width * part.x_pixel;
    part.height = part.ring = span.end - span.begin;
    part.pad_top = span.begin - (row * down.stride - down.pad);
    part.y_begin = 0;
    part.y_end = rows;
    part.v_begin = 0;
    part.finish = false;
    part.row_sums = nullptr;
    for (std::int64_t v = w.v_begin, v_end = 0; v < w.v_end; v = v_end) {
      v_end = at_most(v + size.lines * kVectors, w.v_end);
      float* to = copy;
      for (std::int64_t r = span.begin; r < span.end; ++r) {
        const float* from = input_row(w, r) + v * kLanes;
        for (std::int64_t i = 0; i < w.width; ++i, from += w.x_pixel, to += part.x_pixel) {
          for (std::int64_t c = 0; c < (v_end - v) * kLanes; c += kLine) {
            unroll<0, kVectors>([&](auto k) { store(to + c + k * kLanes, load(from + c + k * kLanes)); });
          }
        }
      }
      part.x = copy;
      part.v_end = v_end - v;
      part.channels = part.v_end * kLanes;
      part.weights = w.weights + v * w.kh * w.kw * kLanes;
      part.bias = w.bias + v * kLanes;
      part.y = w.y + row * w.y_row + v * kLanes;
      run(part);
    }
    finish_rows(w, row, static_cast<int>(rows), w.v_begin, w.v_end);
  }
}

/// Computes the work by `run`, of a 3x3 to 7x7 filter, from copies of parts of rows: of a few lines of channels and, in wide images, of
/// some columns. A ring holds `rows` of them, up to ten, each copied once, as a group of output rows wants it: by `for_lean_groups`, which
/// `run` has to go by.
///
/// us on Zen 3 by copies of 64 KB / by rings of eight lines / of four, 2026-11-30: 3x3 14x14x1024 85 / 88 / 76, 7x7x1024 16.3 / 16.5
/// / 18.5; 5x5 28x28x512 322 / 313 / 295; s2 28x28x512 145 / 135 / 130.
[[gnu::noinline]] inline void by_rings(const DepthwiseWork& w, std::int64_t rows, void (*run)(const DepthwiseWork&)) {
  constexpr std::int64_t kLine = StripSize::kLine, kVectors = kLine / kLanes;
  alignas(64) float copy[StripSize::kPixels * kLine];
  const Axis across{w.width, w.out_width, w.kw, w.stride_w, 1, w.pad_left, w.x_pixel, w.y_pixel, w.width};
  const std::int64_t ring = at_most(rows, at_least(w.height, 1)), lines = ring * w.width * 8 * 64 > w.l1_bytes ? 4 : 8;
  const std::int64_t most = (StripSize::kPixels / (ring * lines) - w.kw) / w.stride_w + 1;
  DepthwiseWork from = w, part = w;
  part.source = &from;
  part.x = copy;
  part.x_pixel = lines * kLine;
  part.ring = ring;
  part.v_begin = 0;
  part.finish = false;
  part.row_sums = nullptr;
  for (std::int64_t ox = 0; ox < w.out_width; ox += part.out_width) {
    part.out_width = even_group(w.out_width - ox, most);
    const Span span(across, ox, part.out_width);
    part.width = span.end - span.begin;
    part.pad_left = span.begin - (ox * w.stride_w - w.pad_left);
    part.x_row = part.width * part.x_pixel;
    for (std::int64_t v = w.v_begin, v_end = 0; v < w.v_end; v = v_end) {
      v_end = at_most(v + lines * kVectors, w.v_end);
      part.v_end = v_end - v;
      part.channels = part.v_end * kLanes;
      part.weights = w.weights + v * w.kh * w.kw * kLanes;
      part.bias = w.bias + v * kLanes;
      from.x = w.x + span.begin * w.x_pixel + v * kLanes;
      part.y = w.y + ox * w.y_pixel + v * kLanes;
      run(part);
    }
  }
  finish_rows(w, 0, static_cast<int>(w.y_end - w.y_begin), w.v_begin, w.v_end);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
