// The int8 depthwise convolution: groups of output rows, panels of channels, strips of columns whose rows of quads fit the stack.
#pragma once

#include "kernels/int8/quad_depthwise_tile.hpp"
#include "kernels/int8/quad_flat.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kQuadRowBytes = 64 * 1024;           ///< of rows of quads, on the stack; a quarter of it serves most filters
constexpr std::int64_t kVisitColumns = kLean16 ? 112 : 56;  ///< of the groups of rows of a panel that are computed at a time, at least
constexpr std::int64_t kMostQuads = kQuadRowBytes / (4 * I8::kLanes);

/// Vectors of positions [0, vectors) of a strip: tiles of nearly equal width.
template <int R, int G>
inline void quad_strip(const QuadWindow& t, std::int64_t vectors) {
  const std::int64_t most = max_window_columns(R, G), tiles = (vectors + most - 1) / most, width = vectors / tiles, wider = vectors % tiles;
  if (wider > 0) quad_windows<R, G>(t, width + 1, 0, wider);
  quad_windows<R, G>(t, width, wider * (width + 1), tiles - wider);
}

/// The function for a filter.
inline auto quad_strips(const QuadFilter& f) {
  if constexpr (kRegisters < 32) {
    if constexpr (!kLean16) {
      if (f.outputs() == 4) return quad_strip<4, 2>;
    }
    return f.outputs() == 2 ? quad_strip<2, 2> : (f.group() == 2 ? quad_strip<1, 2> : quad_strip<1, 4>);
  }
  return f.outputs() == 1 ? quad_strip<1, 4> : (f.outputs() == 2 ? quad_strip<2, 4> : quad_strip<4, 2>);
}

/// Vectors of outputs whose quads fit a strip. `layout`: of a filter's first row of quads; its vectors are set to what they need.
inline std::int64_t strip_vectors(const QuadFilter& f, QuadLayout& layout, std::int64_t dilation_w, std::int64_t wanted) {
  const std::int64_t extra = ((f.wide == 1 ? (f.steps - 1) * dilation_w / layout.step : f.steps - 1) + layout.pixels - 1) / layout.pixels;
  const std::int64_t room = kMostQuads / (f.quads * layout.phases) - extra, vectors = wanted < room ? wanted : room;
  layout.vectors = vectors + extra;
  return vectors;
}

/// Rows of quads that the next group of output rows reads again.
inline std::int64_t keeps_quads(const Int8DepthwiseWork& w, const QuadFilter& f) {
  const std::int64_t down = f.down * w.stride_h;
  return w.dilation_h == 1 && down % f.high == 0 && down / f.high < f.quads ? f.quads - down / f.high : 0;
}

/// Strips of columns in which what a group of rows of a small filter reads, and a panel's quads, stay in the level-1 cache until the next
/// group: 112x112x96 with stride 2 206 -> 172 us by AVX2, 56x56x128 66 -> 55 by VNNI. Pixels 128 bytes apart share half of its sets.
inline std::int64_t column_strips(const Int8DepthwiseWork& w, const QuadFilter& f) {
  constexpr std::int64_t kFewQuads = 4, kRoom = 44 * 1024, kRoomOfHalf = 24 * 1024;
  const std::int64_t rows = (f.down - 1) * w.stride_h + w.kh, quads = f.quads * 4 * I8::kLanes;
  const std::int64_t bytes = (rows * w.x_pixel + quads) * w.stride_w * w.out_width,
                     room = kRegisters == 32 && w.x_pixel % 128 == 0 ? kRoomOfHalf : kRoom;
  if (f.quads * f.steps > kFewQuads || w.dilation_w > 1 || w.channels <= kQuadChannels || w.out_width < kVisitColumns) return 1;
  return bytes / room + 1;
}

/// What panels with as many pixels a vector have in common: divisions, which took a quarter of a 7x7 image when each panel of each group
/// of rows made them.
struct QuadPlan {
  QuadLayout layout;
  std::int64_t vector, strip;                         ///< columns of y of a vector, vectors of a strip
  std::int64_t kept;                                  ///< as keeps_quads() says
  std::int64_t taps[(kLean16 ? 2 : 1) * kMostQuads];  ///< of each row of quads, and of the last

  [[gnu::noinline]] QuadPlan(const Int8DepthwiseWork& w, const QuadFilter& f, int pixels)
      : layout(f, w.kw, w.stride_w, w.dilation_w, pixels), vector(pixels * f.along), kept(keeps_quads(w, f)) {
    strip = strip_vectors(f, layout, w.dilation_w, (w.out_width + vector - 1) / vector);
    for (std::int64_t s = 0; s < f.steps; ++s) taps[s] = f.wide == 1 ? layout.offset(s * w.dilation_w) : s * layout.position;
    for (std::int64_t s = 0; kLean16 && s < f.last_steps; ++s) taps[f.steps + s] = taps[f.last_wide == f.wide ? s : 2 * s];
  }
};

/// What a panel's windows have in common.
struct QuadPanel {
  QuadRows rows;
  QuadWindow t{};
  std::int8_t* row[kMostQuads];
  const std::int8_t* products[kLean16 ? kMostQuads : 1];

  QuadPanel(std::int64_t panel, const Int8DepthwiseWork& w, const QuadFilter& f, const QuadPlan& plan, const void* bounds,
            decltype(QuadWindow::store) store, bool lean)
      : rows(w, panel * kQuadChannels) {
    const std::int64_t channel = panel * kQuadChannels;
    t.store = store;
    t.panel = bounds;
    t.lean = lean;
    t.rows = row;
    t.taps = plan.taps;
    t.plane = plan.layout.plane();
    t.quads = f.quads;
    t.steps = f.steps;
    t.products = products;
    t.products_end = products + f.products();
    t.weights = static_cast<const std::int8_t*>(w.weights) + panel * window_weight_bytes(f);
    t.initial = w.initial + channel;
    t.multiplier = w.q.multiplier + channel;
    t.y_row = w.y_row;
    t.y_pixel = w.y_pixel;
    t.residual_type = &w.residual;
    t.along = static_cast<int>(f.along);
    t.pixels = plan.layout.pixels;
    t.channels = rows.channels();
    t.spill = (kQuadChannels / t.pixels - 1) / t.channels;
    t.step = plan.vector * w.y_pixel;
  }
  /// Where products find their quads, once rows lie where they are.
  void find_products(const QuadFilter& f) {
    const std::int8_t** at = products;
    for (std::int64_t q = 0; q < f.quads; ++q) {
      const bool last = q == f.quads - 1;
      for (std::int64_t s = 0; s < (last ? f.last_steps : f.steps); ++s) *at++ = row[q] + t.taps[last ? f.steps + s : s];
    }
  }
};

/// Panels next to each other.
template <int Panels>
struct QuadPanelGroup {
  QuadPanel panel;

  template <class... Args>
  QuadPanelGroup(std::int64_t at, const Args&... args) : panel(at, args...) {}
  template <class F>
  [[gnu::always_inline]] inline void each(const F& visit) {
    visit(panel, 0);
  }
};
template <>
struct QuadPanelGroup<2> {
  QuadPanel panel, next;

  template <class... Args>
  QuadPanelGroup(std::int64_t at, const Args&... args) : panel(at, args...), next(at + 1, args...) {}
  template <class F>
  [[gnu::always_inline]] inline void each(const F& visit) {
    visit(panel, 0);
    visit(next, 1);
  }
};

/// Output rows [begin, end) of Panels panels. `store`: store_window of the type of y, whose size is y_size.
template <int Panels>
[[gnu::noinline, gnu::noclone]] void quad_panel_rows(const Int8DepthwiseWork& w, const QuadFilter& f, const QuadPlan& plan,
                                                     std::int64_t panel, const void* bounds, decltype(QuadWindow::store) store,
                                                     std::int64_t y_size, bool lean, std::int64_t begin, std::int64_t end,
                                                     std::int8_t* quads) {
  QuadPanelGroup<Panels> panels(panel, w, f, plan, bounds, store, lean);
  std::int64_t left = w.out_width, vectors = plan.strip, columns;
  for (std::int64_t ox = 0; left > 0; ox += columns, left -= columns) {
    columns = plan.strip * plan.vector;
    if (left < columns) {
      columns = left;
      vectors = (left + plan.vector - 1) / plan.vector;
    }
    panels.each([&](QuadPanel & p, std::int64_t n) __attribute__((always_inline)) {
      QuadWindow& t = p.t;
      t.columns = columns;
      const bool run = f.along == 1 && t.channels * t.pixels == kQuadChannels && w.y_pixel == t.channels;
      t.whole = t.pixels == 1 ? vectors : (run ? t.columns / t.pixels : 0);
      for (std::int64_t q = 0; q < f.quads; ++q) p.row[q] = quads + (n * f.quads + q) * 4 * t.plane;
      if (kLean16) p.find_products(f);
    });
    for (std::int64_t oy = begin; oy < end; oy += f.down) {
      const std::int64_t ready = oy == begin ? 0 : plan.kept;
      if (ready > 0) {  // to the front
        panels.each([&](QuadPanel & p, std::int64_t) __attribute__((always_inline)) {
          std::int8_t* before[kMostQuads];
          for (std::int64_t q = 0; q < f.quads; ++q) before[q] = p.row[q];
          for (std::int64_t q = 0; q < f.quads; ++q) p.row[q] = before[q < ready ? q + f.quads - ready : q - ready];
          if (kLean16) p.find_products(f);
        });
      }
      for (std::int64_t q = ready; q < f.quads; ++q) {
        const std::int64_t y = oy * w.stride_h - w.pad_top + f.high * q * w.dilation_h, x = ox * w.stride_w - w.pad_left;
        panels.each([&](QuadPanel & p, std::int64_t) __attribute__((always_inline)) {
          p.rows.fill(plan.layout, y, x, q == f.quads - 1 ? f.last_wide : f.wide, p.row[q]);
        });
      }
      panels.each([&](QuadPanel & p, std::int64_t n) __attribute__((always_inline)) {
        QuadWindow& t = p.t;
        const std::int64_t channel = (panel + n) * kQuadChannels;
        t.down = static_cast<int>(end - oy < f.down ? end - oy : f.down);
        t.y = static_cast<std::byte*>(w.y) + ((oy - w.y_begin) * w.y_row + ox * w.y_pixel + channel) * y_size;
        t.residual =
            w.residual.data == nullptr ? nullptr : w.residual.data + (oy - w.y_begin) * w.residual.row + ox * w.residual.pixel + channel;
        quad_strips(f)(t, vectors);
      });
    }
  }
}

template <class Out>
[[gnu::noinline, gnu::noclone]] void quad_depthwise(const Int8DepthwiseWork& w, const QuadFilter& f) {
  using Store = PanelStore<Out, 4, Order::packed>;
  alignas(64) std::int8_t quads[kQuadRowBytes];
  const bool within = within_int32(w.q.multiplier, (w.channels + kQuadChannels - 1) / kQuadChannels * kQuadChannels, w.residual);
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
  // Two panels whose bytes share cache lines.
  const bool pairs = groups > 1 && w.q.zeros == nullptr && 2 * f.quads * 4 * whole.layout.plane() <= kQuadRowBytes;
  if constexpr (sizeof(Out) == 1) {
    const std::int64_t period = lean && w.q.zeros == nullptr ? flat_period(f, w.kw, w.channels, w.multiplier) : 0;
    if (period > 0 && flat_depthwise(w, f, last + 1, period, store)) return;
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
        if (kLean16 && pairs && p + 1 < w.panel_end && (p + 1 < last || few.layout.pixels == 1)) {
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

/// Output rows begin Down filter rows after each other, or 0: anyhow.
template <class Out, int Down, bool Squares>
inline void quad_depthwise_by(const Int8DepthwiseWork& w) {
  const QuadFilter f(w.kh, w.kw, Down, Squares);
  if (Down == 1 && !Squares && w.dilation_h > 1) return dilated_quad_depthwise<Out>(w, f);
  quad_depthwise<Out>(w, f);
}
template <int Down, bool Squares>
inline void pack_quad_depthwise(Int8PackWork& w) {
  pack_quad_filter(w, QuadFilter(w.kh, w.kw, Down, Squares));
}

/// Whether an output's quads fit the stack.
inline bool quads_fit(const Problem& p) {
  const QuadFilter f(p.kh, p.kw, 0, false);
  QuadLayout layout(f, p.kw, p.stride_w, p.dilation_w, 1);
  return f.steps <= kMostQuads && strip_vectors(f, layout, p.dilation_w, 1) > 0;
}
/// And whether squares pay, which have no dilation.
inline bool squares_fit(const Problem& p) {
  return p.kw <= 16 && p.kh <= 16 && p.stride_w == p.stride_h && p.dilation_w == 1 && squares_are_less(p.kh, p.kw, p.stride_h);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
