// Standard convolution as a matrix product that reads the image in place: positions of the output are rows, and the sum over k runs over
// the filter's taps. No im2col. Positions that meet the same taps share tiles, wherever they lie. Where most positions miss some taps, or
// a panel's weights exceed the level-1 cache, the sum goes block by block of taps, and a panel's sums wait in scratch.
#pragma once

#include "kernels/standard/pieces.hpp"
#include "kernels/standard/planes.hpp"
#include "kernels/standard/position_tile.hpp"
#include "kernels/standard/taps.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Floats of a row of a panel.
inline std::int64_t width_of(const Panel& p) { return std::int64_t{p.vectors} * kLanes + (p.half == HalfPanel::none ? 0 : kLanes / 2); }

/// One panel of a work.
struct PanelWalk {
  const StandardWork& w;
  const Panel panel;
  std::int64_t width;  ///< floats of the panel
  int most;            ///< rows of a tile
  bool direct;         ///< tiles store to y
  std::int64_t y;      ///< of the panel's first column, from a position's first
  PositionTile t;

  PanelWalk(const StandardWork& work, const Panel& p) : w(work), panel(p), direct(work.block_taps == 0), y(p.column) {
    width = width_of(p);
    most = max_positions(p.vectors, p.half != HalfPanel::none);
    set_panel(p, {w.gemm.b, w.gemm.bias});
    t.lo = epilogue_lo(w.gemm.activation);
    t.hi = epilogue_hi(w.gemm.activation);
    t.add_residual = w.gemm.residual != nullptr;
    if (w.spread != nullptr) {
      const Pieces pieces(*w.spread, panel, false);
      direct = direct && pieces.count == 1 && inside_y(w.y_begin, w.y_end, 0, w.out_width);
      y = pieces.at[0].y;
    }
    t.finish = direct;
    if (w.block_taps > 0) t.bias = nullptr;
  }

  void set_panel(const Panel& p, const GroupWeights& weights) {
    t.b = weights.weights + p.column * w.gemm.k;
    t.bias = weights.bias + p.column;
    t.last_lanes = static_cast<int>(p.columns - (p.vectors - (p.half == HalfPanel::none ? 1 : 0)) * kLanes);
  }

  /// The tile's positions by all panels of all groups. Its addresses are those of the first column.
  void multiply_groups(std::int64_t positions) {
    for (std::int64_t g = 0; g < w.group_count; ++g) {
      t.input = g * w.x_group;
      for (std::int64_t i = w.gemm.panel_begin; i < w.gemm.panel_end; ++i) {
        const Panel p = panel_at(w.gemm, i);
        set_panel(p, w.groups[g]);
        t.column = g * w.gemm.columns + p.column;
        position_tiles_for(p.half).at[p.vectors][positions - 1](t);
      }
    }
  }

  bool inside_y(std::int64_t row, std::int64_t rows_end, std::int64_t column, std::int64_t columns_end) const {
    const Spread& s = *w.spread;
    const std::int64_t rows = w.gemm.columns / (s.pixels * s.channels);
    return all_pixels_inside(row, rows_end, s.stride_h, s.first_h, rows, s.height) &&
           all_pixels_inside(column, columns_end, s.stride_w, s.first_w, s.pixels, s.width);
  }
  /// Floats from the beginning of y to a position's first, which may lie outside.
  std::int64_t y_of(std::int64_t oy, std::int64_t ox) const {
    const std::int64_t first = w.spread == nullptr ? 0 : w.spread->first_h * w.spread->row + w.spread->first_w * w.spread->pixel;
    return first + oy * w.y_row + ox * w.y_pixel;
  }
  float* sums_of(std::int64_t oy, std::int64_t ox) const { return w.sums + ((oy - w.y_begin) * w.out_width + ox) * width; }

  /// Positions rows x columns, which meet the same taps: tiles of nearly equal height.
  void add(const TapAxis& down, const TapAxis& along, const TapRun& rows, const TapRun& columns, const TapBlock& block) {
    t.segments = w.segments;
    t.segment_count = rows.empty() || columns.empty() ? 0 : make_segments(w, rows.taps, columns.taps, block);
    const std::int64_t a =
        t.segment_count == 0 ? 0 : down.input(0, rows.taps.begin) * w.x_row + along.input(0, columns.taps.begin) * w.x_pixel;
    const std::int64_t a_row = t.segment_count == 0 ? 0 : w.stride_h * w.x_row, a_pixel = t.segment_count == 0 ? 0 : w.stride_w * w.x_pixel;
    const std::int64_t count = rows.size() * columns.size(), tiles = (count + most - 1) / most;
    const std::int64_t height = count / tiles, taller = count % tiles;
    const PositionTileTable& table = position_tiles_for(panel.half);
    // What follows is the next block of taps, or the next panel.
    std::int64_t k = 0;
    for (std::int64_t s = 0; s < t.segment_count; ++s) k += t.segments[s].length;
    const Fetched weights{t.b};
    const bool fetches = w.groups == nullptr && fetching_pays(weights, tiles, height, k, panel);
    const std::int64_t steps = fetches ? steps_of_line(weights, tiles, k) : 0;
    if (fetches)
      t.ahead = {reinterpret_cast<const char*>(t.b + (t.segments[t.segment_count - 1].k + t.segments[0].length) * width), steps, 0};
    const auto& functions = fetches ? table.fetching : table.at[panel.vectors];
    const std::int64_t out_pixel = direct ? w.y_pixel : width;
    std::int64_t oy = rows.begin, ox = columns.begin;
    for (std::int64_t i = 0; i < tiles; ++i) {
      const std::int64_t positions = height + (i < taller ? 1 : 0);
      for (std::int64_t m = 0; m < positions;) {
        const std::int64_t left = columns.end - ox, end = left < positions - m ? m + left : positions;
        const float* x = w.gemm.a + (a + oy * a_row + ox * a_pixel);
        float* out = direct ? w.gemm.y + (y_of(oy, ox) + y) : sums_of(oy, ox);
        const float* residual = direct && t.add_residual ? w.gemm.residual + (oy * w.residual_row + ox * w.residual_pixel + y) : nullptr;
        ox += end - m;
        for (; m < end; ++m, x += a_pixel, out += out_pixel) {
          t.a[m] = x;
          t.out[m] = out;
          if (residual == nullptr) continue;
          t.residual[m] = residual;
          residual += w.residual_pixel;
        }
        if (ox == columns.end) {
          ox = columns.begin;
          ++oy;
        }
      }
      w.groups == nullptr ? functions[positions - 1](t) : multiply_groups(positions);
      if (fetches) t.ahead.at += k / steps * kLineBytes;
    }
  }

  /// A run of a row that fills its tiles by itself: their addresses are evenly spaced.
  void add_row(const TapAxis& down, const TapAxis& along, std::int64_t oy, const TapRun& rows, const TapRun& columns,
               const TapBlock& block) {
    GemmWork g = w.gemm;
    g.a_row = w.stride_w * w.x_pixel;
    g.a = w.gemm.a + (down.input(oy, rows.taps.begin) * w.x_row + along.input(columns.begin, columns.taps.begin) * w.x_pixel);
    g.y = w.gemm.y + (oy * w.y_row + columns.begin * w.y_pixel);
    g.y_row = w.y_pixel;
    if (g.residual != nullptr) g.residual += oy * w.residual_row + columns.begin * w.residual_pixel;
    g.residual_row = w.residual_pixel;
    GemmTiles tiles = tiles_of(g);
    tiles.segments = w.segments;
    tiles.segment_count = make_segments(w, rows.taps, columns.taps, block);
    gemm_panel(g, tiles, panel, 0, columns.size(), {oy == rows.begin ? behind(g, panel) : nullptr});
  }

  void add_block(const TapBlock& block) {
    const TapAxis down(w.y_end, w.stride_h, w.pad_top, w.dilation_h, w.height, block.rows);
    const TapAxis along(w.out_width, w.stride_w, w.pad_left, w.dilation_w, w.width, block.columns);
    for_each_tap_run(down, w.y_begin, w.y_end, [&](const TapRun& rows) {
      for_each_tap_run(along, 0, w.out_width, [&](const TapRun& columns) {
        const bool none = rows.empty() || columns.empty();
        if (none && t.bias == nullptr) return;
        if (none || !direct || w.spread != nullptr || w.groups != nullptr || columns.size() < 4 * most)
          return add(down, along, rows, columns, block);
        for (std::int64_t oy = rows.begin; oy < rows.end; ++oy) add_row(down, along, oy, rows, columns, block);
      });
    });
  }

  void begin_sums() const {
    const float* const bias = w.gemm.bias + panel.column;
    const std::int64_t positions = (w.y_end - w.y_begin) * w.out_width;
    float* sums = w.sums;
    for (std::int64_t i = 0; i < positions; ++i, sums += width) {
      for (std::int64_t c = 0; c < width; c += kLanes) {
        const int lanes = static_cast<int>(width - c < kLanes ? width - c : kLanes);
        store_up_to(sums + c, load_up_to(bias + c, lanes), lanes);
      }
    }
  }

  /// Bounds are applied on the way from sums to y; other activations before, unless a residual comes in between.
  void finish_sums() const {
    const bool clips = w.gemm.activation.kind == ActivationKind::clip;
    const F32 lo = broadcast(t.lo), hi = broadcast(t.hi);
    if (w.spread == nullptr) {
      for (std::int64_t oy = w.y_begin; oy < w.y_end; ++oy) {
        for (std::int64_t ox = 0; ox < w.out_width; ++ox) {
          const float* residual = t.add_residual ? w.gemm.residual + (oy * w.residual_row + ox * w.residual_pixel + panel.column) : nullptr;
          store_sums(sums_of(oy, ox), residual, w.gemm.y + (y_of(oy, ox) + y), panel.columns, lo, hi);
        }
      }
      return finish_rows();
    }
    if (!clips) activate_block(w.sums, (w.y_end - w.y_begin) * w.out_width, width, panel.columns, w.gemm.activation);
    const std::int64_t row = w.out_width * width;
    const Pieces whole(*w.spread, panel, false), pixels(*w.spread, panel, true);
    for (std::int64_t oy = w.y_begin; oy < w.y_end; ++oy) {
      float* const sums = sums_of(oy, 0);
      store_sums(sums, nullptr, sums, row, lo, hi);
      spread_row(oy, whole, pixels);
    }
  }
  /// A row of sums to y: piece by piece, of all positions whose pixels exist; of others pixel by pixel.
  void spread_row(std::int64_t oy, const Pieces& whole, const Pieces& pixels) const {
    const WholePositions inside(*w.spread, w.out_width);
    const auto store_one = [&](std::int64_t ox) {
      for (std::int64_t i = 0; i < pixels.count; ++i) {
        const Piece& p = pixels.at[i];
        if (exists(oy, ox, p)) copy_runs(sums_of(oy, ox) + p.column, 0, w.gemm.y + (y_of(oy, ox) + p.y), 0, p.length, 1);
      }
    };
    for (std::int64_t ox = 0; ox < inside.begin; ++ox) store_one(ox);
    for (std::int64_t i = 0; i < whole.count; ++i) {
      const Piece& p = whole.at[i];
      if (!exists(oy, inside.begin, p)) continue;
      copy_runs(sums_of(oy, inside.begin) + p.column, width, w.gemm.y + (y_of(oy, inside.begin) + p.y), w.y_pixel, p.length,
                inside.end - inside.begin);
    }
    for (std::int64_t ox = inside.end; ox < w.out_width; ++ox) store_one(ox);
  }
  bool exists(std::int64_t oy, std::int64_t ox, const Piece& p) const {
    const Spread& s = *w.spread;
    const std::int64_t row = oy * s.stride_h + s.first_h + p.row, pixel = ox * s.stride_w + s.first_w + p.pixel;
    return row >= 0 && row < s.height && pixel >= 0 && pixel < s.width;
  }

  /// Activations that are no clips, in y.
  void finish_rows() const {
    if (w.gemm.activation.kind == ActivationKind::clip) return;
    const std::int64_t first = w.groups == nullptr ? y : panel_at(w.gemm, w.gemm.panel_begin).column;
    const Panel last = panel_at(w.gemm, w.gemm.panel_end - 1);
    const std::int64_t columns =
        w.groups == nullptr ? panel.columns : (w.group_count - 1) * w.gemm.columns + last.column + last.columns - first;
    for (std::int64_t oy = w.y_begin; oy < w.y_end; ++oy) {
      activate_block(w.gemm.y + (y_of(oy, 0) + first), w.out_width, w.y_pixel, columns, w.gemm.activation);
    }
  }
};

inline void standard(const StandardWork& w) {
  if (w.groups != nullptr) {
    if (w.gemm.panel_begin >= w.gemm.panel_end) return;
    PanelWalk walk(w, panel_at(w.gemm, w.gemm.panels - 1));  // the widest
    walk.y = 0;
    for_each_tap_block(w, [&](const TapBlock& block) { walk.add_block(block); });
    return walk.finish_rows();
  }
  for (std::int64_t p = w.gemm.panel_begin; p < w.gemm.panel_end; ++p) {
    const Panel panel = panel_at(w.gemm, p);
    if (w.planes != nullptr) {
      PlaneWalk(w, width_of(panel)).run();
      continue;
    }
    PanelWalk walk(w, panel);
    if (w.block_taps > 0) walk.begin_sums();
    for_each_tap_block(w, [&](const TapBlock& block) { walk.add_block(block); });
    walk.direct ? walk.finish_rows() : walk.finish_sums();
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
