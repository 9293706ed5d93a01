// The int8 depthwise convolution's panels: rows of quads of output rows, in strips of columns that fit the stack, and their tiles.
#pragma once

#include "kernels/int8/quad_linear.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kVisitColumns = kLean16 ? 112 : 56;  ///< of the groups of rows of a panel that are computed at a time, at least
constexpr std::int64_t kFewWhole = 8;  ///< columns of y of which no vectors of fewer than a panel's channels are stored whole
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
    } else if (f.shared) {
      return quad_strip<2, 0>;
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

  [[gnu::noinline, gnu::cold]] QuadPlan(const Int8DepthwiseWork& w, const QuadFilter& f, int pixels)
      : layout(f, w.kw, w.stride_w, w.dilation_w, pixels), vector(pixels * f.along), kept(keeps_quads(w, f)) {
    strip = strip_vectors(f, layout, w.dilation_w, (w.out_width + vector - 1) / vector);
    for (std::int64_t s = 0; s < f.steps; ++s) taps[s] = f.wide == 1 ? layout.offset(s * w.dilation_w) : s * layout.position;
    for (std::int64_t s = 0; kLean16 && s < f.last_steps; ++s) taps[f.steps + s] = taps[f.last_wide == f.wide ? s : 2 * s];
  }
};

/// Of a panel; the one behind the last is that of ends_whole().
inline std::int64_t first_channel(const Int8DepthwiseWork& w, std::int64_t panel) {
  const std::int64_t channel = panel * kQuadChannels;
  return channel < w.channels || !kLean16 ? channel : w.channels - kQuadChannels;
}

/// What a panel's windows have in common.
struct QuadPanel {
  QuadRows rows;
  QuadWindow t{};
  std::int8_t* row[kMostQuads];
  const std::int8_t* products[kLean16 ? kMostQuads : 1];

  QuadPanel(std::int64_t panel, const Int8DepthwiseWork& w, const QuadFilter& f, const QuadPlan& plan, const void* bounds,
            decltype(QuadWindow::store) store, bool lean)
      : rows(w, first_channel(w, panel)) {
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
    t.groups = 1;
    t.spill = (kQuadChannels / t.pixels - 1) / t.channels;
    t.step = plan.vector * w.y_pixel;
  }
  /// Columns of a strip.
  [[gnu::always_inline]] inline void begin(const Int8DepthwiseWork& w, const QuadFilter& f, std::int64_t columns, std::int64_t vectors,
                                           std::int8_t* quads) {
    t.columns = columns;
    const bool run = f.along == 1 && t.channels * t.pixels == kQuadChannels && w.y_pixel == t.channels;
    t.whole = t.pixels == 1 ? vectors : (run ? t.columns / t.pixels : 0);
    // Pixels of fewer channels, all of them: what a whole vector writes behind a pixel the next one replaces. 29x29x27 9.1 -> 8.7 us,
    // 7x7x27 5 % slower.
    if (kLean16 && t.pixels == 1 && t.channels < kQuadChannels) {
      const bool adjacent = f.along == 1 && w.y_pixel == t.channels;
      t.whole = adjacent && columns > kFewWhole ? columns - t.spill : 0;
    }
    for (std::int64_t q = 0; q < f.quads; ++q) row[q] = quads + q * 4 * t.plane;
    if (kLean16) find_products(f);
  }
  [[gnu::always_inline]] inline void go_to(const Int8DepthwiseWork& w, std::int64_t channel, std::int64_t oy, std::int64_t ox,
                                           std::int64_t y_size) {
    t.y = static_cast<std::byte*>(w.y) + ((oy - w.y_begin) * w.y_row + ox * w.y_pixel + channel) * y_size;
    t.residual =
        w.residual.data == nullptr ? nullptr : w.residual.data + (oy - w.y_begin) * w.residual.row + ox * w.residual.pixel + channel;
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
    panels.each([&](QuadPanel & p, std::int64_t n)
                    __attribute__((always_inline)) { p.begin(w, f, columns, vectors, quads + n * f.quads * 4 * p.t.plane); });
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
        const std::int64_t wide = q == f.quads - 1 ? f.last_wide : f.wide;
        if constexpr (Panels == 2) {
          QuadPanel &p = panels.panel, &next = panels.next;
          if (next.t.channels == kQuadChannels) {
            p.rows.fill_two(plan.layout, y, x, wide, p.row[q], next.row[q] - p.row[q]);
            continue;
          }
        }
        panels.each([&](QuadPanel & p, std::int64_t) __attribute__((always_inline)) { p.rows.fill(plan.layout, y, x, wide, p.row[q]); });
      }
      panels.each([&](QuadPanel & p, std::int64_t n) __attribute__((always_inline)) {
        p.go_to(w, first_channel(w, panel + n), oy, ox, y_size);
        p.t.down = static_cast<int>(end - oy < f.down ? end - oy : f.down);
        quad_strips(f)(p.t, vectors);
      });
    }
  }
}

/// Output rows [begin, end) of a panel of SharedWeights: quads of several groups of rows, which fit half of the level-1 cache, then their
/// tiles as one call. Calls for each group took a third of 7x7x960.
[[gnu::noinline, gnu::cold]] inline void quad_group_rows(const Int8DepthwiseWork& w, const QuadFilter& f, const QuadPlan& plan,
                                                         std::int64_t panel, const void* bounds, decltype(QuadWindow::store) store,
                                                         std::int64_t y_size, bool lean, std::int64_t begin, std::int64_t end,
                                                         std::int8_t* quads) {
  QuadPanel p(panel, w, f, plan, bounds, store, lean);
  const std::int64_t bytes = 4 * p.t.plane, room = kGroupBytes / bytes, most = room > 1 ? room : 1;
  p.t.group_bytes = bytes;
  std::int64_t columns;
  for (std::int64_t ox = 0; ox < w.out_width; ox += columns) {
    const std::int64_t left = w.out_width - ox, strip = plan.strip * plan.vector;
    columns = left < strip ? left : strip;
    const std::int64_t vectors = left < strip ? (left + plan.vector - 1) / plan.vector : plan.strip;
    p.begin(w, f, columns, vectors, quads);
    const bool together = lean && p.t.whole == vectors && p.t.channels * p.t.pixels == kQuadChannels;
    for (std::int64_t oy = begin, groups; oy < end; oy += groups * 2) {
      const std::int64_t rest = (end - oy + 1) / 2;
      groups = rest < most ? rest : most;
      p.rows.fill_groups(plan.layout, oy - w.pad_top, ox * w.stride_w - w.pad_left, quads, groups, bytes);
      p.row[0] = quads;
      for (std::int64_t done = 0; done < groups; done += p.t.groups, p.row[0] += p.t.groups * bytes) {
        const std::int64_t row = oy + 2 * done;
        p.t.groups = together ? groups : 1;
        p.t.down = row + 2 * p.t.groups > end ? 1 : 2;
        p.find_products(f);
        p.go_to(w, first_channel(w, panel), row, ox, y_size);
        quad_strips(f)(p.t, vectors);
      }
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
