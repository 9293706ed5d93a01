// The int8 depthwise convolution: groups of output rows, panels of channels, strips of columns whose rows of quads fit the stack.
#pragma once

#include "kernels/int8/float_depthwise.hpp"
#include "kernels/int8/quad_depthwise_rows.hpp"
#include "kernels/int8/quad_flat.hpp"
#include "kernels/int8/quad_repeat.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

template <class Out>
[[gnu::noinline, gnu::noclone]] void quad_depthwise(const Int8DepthwiseWork& w, const QuadFilter& f) {
  using Store = PanelStore<Out, 4, Order::packed>;
  alignas(64) std::int8_t quads[kQuadRowBytes];
  const bool within = within_int32(w.q, w.residual);
  const bool lean = sizeof(Out) == 1 && within && w.residual.data == nullptr;
  // The last panel, if it has few channels: several pixels a vector. 112x112x32 took 129 us pixel by pixel, 112x112x16 two at a time 83.
  const std::int64_t last = (w.channels - 1) / kQuadChannels;
  const bool shares = w.residual.data == nullptr && (sizeof(Out) > 1 || w.q.zeros == nullptr);
  // Row by row, so that what a group of rows reads stays in the caches, in strips of columns for that of level 1; but where each row of
  // quads serves several groups, and where bounds of each channel are costly to set up, panel by panel.
  Int8DepthwiseWork part = w;
  const bool by_row = w.q.zeros == nullptr && !keeps_quads(w, f);
  const std::int64_t strips = by_row ? column_strips(w, f) : 1;
  if (strips > 1) part.out_width = (w.out_width / strips + 8) / 8 * 8;  // whole vectors, of any pixels
  const std::int64_t columns = part.out_width;
  const QuadPlan whole(part, f, 1), few(part, f, shares ? pixels_of(w.channels - last * kQuadChannels) : 1);
  // Of narrow images several groups of rows, as each visit of a panel takes some 150 cycles: 14x14x512 15.0 -> 13.8 us.
  const std::int64_t groups = w.out_width < kVisitColumns ? kVisitColumns / w.out_width : 1;
  const std::int64_t step = by_row ? groups * f.down : w.y_end - w.y_begin;
  Store store(w.q, w.y_flip, w.panel_begin * kQuadChannels, within);
  // Two panels, whose bytes share cache lines and quads are filled by one call: 7x7x960 5x5 and 112x112x64 with stride 2 12 % faster on
  // Zen 3.
  const bool pairs = w.q.zeros == nullptr && 2 * f.quads * 4 * whole.layout.plane() <= kQuadRowBytes;
  const FlatPeriods flat(f, w.kh, w.kw, w.channels, w.multiplier);
  const bool ends = kLean16 && lean && w.q.zeros == nullptr && w.panel_begin < last && ends_whole(f, w.channels, w.multiplier);
  const std::int64_t behind = last + 1 + flat.rows;  // the panel that ends
  if constexpr (sizeof(Out) == 1) {
    const bool run = lean && w.q.zeros == nullptr && flat.any() > 0, linear = flat.linear(w.channels);
    if constexpr (kLean16) {
      if (run && linear && linear_depthwise<Dot>(w, f, last + 1, flat.rows, store, quads)) return;
    }
    if (run && !linear && flat_depthwise(w, f, last + 1, flat, store)) return;
  }
  for (std::int64_t x = 0; x < w.out_width; x += columns) {
    part.out_width = w.out_width - x < columns ? w.out_width - x : columns;
    part.pad_left = w.pad_left - x * w.stride_w;
    part.y = static_cast<Out*>(w.y) + x * w.y_pixel;
    if (w.residual.data != nullptr) part.residual.data = w.residual.data + x * w.residual.pixel;
    for (std::int64_t y = w.y_begin; y < w.y_end; y += step) {
      const std::int64_t end = w.y_end - y < step ? w.y_end : y + step;
      for (std::int64_t p = w.panel_begin; p < w.panel_end; ++p) {
        if (w.q.zeros != nullptr) store = Store(w.q, w.y_flip, p * kQuadChannels, within);
        const QuadPlan& plan = p == last ? few : whole;
        if (kLean16 && f.shared) {
          const bool all = ends && p == last;
          quad_group_rows(part, f, all ? whole : plan, all ? behind : p, &store, store_window<Out>, sizeof(Out), lean, y, end, quads);
        } else if (ends && p == last) {
          quad_panel_rows<1>(part, f, whole, behind, &store, store_window<Out>, sizeof(Out), lean, y, end, quads);
        } else if (kLean16 && pairs && p + 1 < w.panel_end && (p + 1 < last || (few.layout.pixels == 1 && !ends))) {
          quad_panel_rows<2>(part, f, plan, p++, &store, store_window<Out>, sizeof(Out), lean, y, end, quads);
        } else {
          quad_panel_rows<1>(part, f, plan, p, &store, store_window<Out>, sizeof(Out), lean, y, end, quads);
        }
      }
    }
  }
}

/// Every d-th output row, of filters whose taps are d rows apart, reads every d-th row of x, as without dilation: rows of quads are shared.
template <class Out>
[[gnu::noinline, gnu::noclone]] void dilated_quad_depthwise(const Int8DepthwiseWork& w, const QuadFilter& f) {
  const std::int64_t d = w.dilation_h, end = w.y_end - w.y_begin < d ? w.y_end : w.y_begin + d;  // d may be 2^31
  for (std::int64_t y = w.y_begin; y < end; ++y) {
    const std::int64_t r = y % d, row = y - w.y_begin, above = (w.pad_top - r + d - 1) / d, first = r - w.pad_top + above * d;
    Int8DepthwiseWork part = w;
    part.y_begin = y / d;
    part.y_end = (w.y_end - r + d - 1) / d;
    part.dilation_h = 1;
    part.pad_top = above;
    part.height = w.height > first ? (w.height - first + d - 1) / d : 0;
    part.x += first * w.x_row;
    part.x_row *= d;
    part.y = static_cast<Out*>(w.y) + row * w.y_row;
    part.y_row *= d;
    if (part.residual.data != nullptr) part.residual.data += row * w.residual.row;
    part.residual.row *= d;
    quad_depthwise<Out>(part, f);
  }
}

/// kLean16: packed are floats, then quads.
[[gnu::noinline]] inline void lean_depthwise(const Int8DepthwiseWork& w, const QuadFilter& f, std::int64_t y_size,
                                             void (*convolve)(const Int8DepthwiseWork&, const QuadFilter&)) {
  if (y_size == 1 && floats_pay(w, f) && by_floats(w)) return;
  Int8DepthwiseWork quads = w;
  quads.weights = static_cast<const float*>(w.weights) + FloatFilter(w.kh * w.kw, w.channels).end;
  w.multiplier > 1 ? repeat_channels(quads, f, y_size, convolve) : convolve(quads, f);
}
[[gnu::noinline, gnu::cold]] inline void pack_lean(Int8PackWork& w, const QuadFilter& f) {
  const std::int64_t floats = FloatFilter(w.kh * w.kw, w.columns).end;
  auto* const packed = static_cast<float*>(w.packed);
  if (packed != nullptr) {
    pack_floats(w, packed);
    w.packed = packed + floats;
  }
  pack_quad_filter(w, f);
  w.packed = packed;
  w.bytes += floats * static_cast<std::int64_t>(sizeof(float));
}

/// Output rows begin Down filter rows after each other, or 0: anyhow.
template <class Out, int Down, bool Squares>
inline void quad_depthwise_by(const Int8DepthwiseWork& w) {
  const QuadFilter f(w.kh, w.kw, Down, Squares);
  const auto convolve = Down == 1 && !Squares && w.dilation_h > 1 ? dilated_quad_depthwise<Out> : quad_depthwise<Out>;
  kLean16 ? lean_depthwise(w, f, sizeof(Out), convolve) : convolve(w, f);
}
template <int Down, bool Squares>
inline void pack_quad_depthwise(Int8PackWork& w) {
  const QuadFilter f(w.kh, w.kw, Down, Squares);
  kLean16 ? pack_lean(w, f) : pack_quad_filter(w, f);
}

/// Whether an output's quads fit the stack.
inline bool quads_fit(const Problem& p) {
  const QuadFilter f(p.kh, p.kw, 0, false);
  QuadLayout layout(f, p.kw, p.stride_w, p.dilation_w, 1);
  if (kLean16 && !repeats_fit(p)) return false;
  return f.steps <= kMostQuads && strip_vectors(f, layout, p.dilation_w, 1) > 0;
}
/// And whether squares pay, which have no dilation.
inline bool squares_fit(const Problem& p) {
  return p.kw <= 16 && p.kh <= 16 && p.stride_w == p.stride_h && p.dilation_w == 1 && squares_are_less(p.kh, p.kw, p.stride_h);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
