// Standard convolution as a matrix product that reads the image in place: a tile is a run of output pixels of one row, and the sum over k
// runs over the filter's taps. No im2col.
#pragma once

#include "kernels/conv_work.hpp"
#include "kernels/pointwise/gemm.hpp"
#include "kernels/ranges.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Segments of the taps in rows kh and columns kw of the filter, for the output pixel whose input starts at row iy, column ix.
inline std::int64_t make_segments(const StandardWork& w, std::int64_t iy, std::int64_t ix, TapRange kh, TapRange kw, bool merged) {
  std::int64_t n = 0;
  for (std::int64_t r = kh.begin; r < kh.end; ++r) {
    const std::int64_t a = (iy + r * w.dilation_h) * w.x_row;
    if (merged) {
      w.segments[n++] = {a + ix * w.x_pixel, r * w.kw * w.channels, w.kw * w.channels};
    } else {
      for (std::int64_t c = kw.begin; c < kw.end; ++c) {
        w.segments[n++] = {a + (ix + c * w.dilation_w) * w.x_pixel, (r * w.kw + c) * w.channels, w.channels};
      }
    }
  }
  return n;
}

/// The end of the run of output pixels that begins at ox and meets the same columns of the filter.
inline std::int64_t run_end(const StandardWork& w, const InsideRange& inside, std::int64_t ox, TapRange kw) {
  if (ox >= inside.begin && ox < inside.end) return inside.end;
  for (++ox; ox < w.out_width && ox != inside.begin; ++ox) {
    const TapRange next(ox, w.stride_w, w.pad_left, w.dilation_w, w.kw, w.width);
    if (next.begin != kw.begin || next.end != kw.end) break;
  }
  return ox;
}

inline void standard(const StandardWork& w) {
  GemmWork g = w.gemm;
  g.a_row = w.stride_w * w.x_pixel;
  g.y_row = w.y_pixel;
  g.residual_row = w.residual_pixel;
  GemmTiles t = tiles_of(g);
  t.segments = w.segments;
  // If the pixels of a row are contiguous, a row of the filter is one segment.
  const bool merged = w.dilation_w == 1 && w.x_pixel == w.channels;
  const InsideRange inside(w.out_width, w.stride_w, w.pad_left, w.dilation_w, w.kw, w.width);

  for (std::int64_t p = g.panel_begin; p < g.panel_end; ++p) {
    const Panel panel = panel_at(g, p);
    for (std::int64_t oy = w.y_begin; oy < w.y_end; ++oy) {
      const std::int64_t iy = oy * w.stride_h - w.pad_top;
      const TapRange kh(oy, w.stride_h, w.pad_top, w.dilation_h, w.kh, w.height);
      g.y = w.gemm.y + oy * w.y_row;
      g.residual = g.residual == nullptr ? nullptr : w.gemm.residual + oy * w.residual_row;
      for (std::int64_t ox = 0; ox < w.out_width;) {
        const TapRange kw(ox, w.stride_w, w.pad_left, w.dilation_w, w.kw, w.width);
        const std::int64_t end = run_end(w, inside, ox, kw);
        const bool whole = merged && kw.begin == 0 && kw.end == w.kw;
        t.segment_count = make_segments(w, iy, -w.pad_left, kh, kw, whole);
        gemm_panel(g, t, panel, ox, end);
        ox = end;
      }
      finish_columns(g, 0, w.out_width, panel.column, panel.columns);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
