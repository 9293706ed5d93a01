// Matrix product over packed panels: walks blocks of rows, panels, and register tiles.
#pragma once

#include "kernels/activation/epilogue.hpp"
#include "kernels/pointwise/few_columns.hpp"
#include "kernels/pointwise/tile_tables.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Position of a panel in the packed weights and in the output.
struct Panel {
  std::int64_t column, columns;  ///< first output channel, and their number
  int vectors;                   ///< whole vectors
  HalfPanel half;
};

[[gnu::always_inline]] inline Panel panel_at(const GemmWork& w, std::int64_t p) {
  const std::int64_t width = w.panel_vectors * kLanes;
  if (p + 1 < w.panels) return {p * width, width, w.panel_vectors, HalfPanel::none};
  return {p * width, w.columns - p * width, w.last_panel_vectors, w.last_panel_half};
}

/// Up to three pixels: a tile of so few rows is bound by the latency of its accumulators, so whole panels are interleaved.
template <int MR, int kPanels, int NV>
[[gnu::flatten]] inline void interleaved_panels(const GemmTiles& t, std::int64_t panel_floats) {
  F32 acc[kPanels][NV][MR];
  unroll<0, kPanels * NV>([&](auto j) {
    const F32 bias = load(t.bias + j * kLanes);
    unroll<0, MR>([&](auto m) { acc[j / NV][j % NV][m] = bias; });
  });
  for (std::int64_t s = 0; s < t.segment_count; ++s) {
    const float* a = t.a + t.segments[s].a;
    const float* b = t.b + t.segments[s].k * NV * kLanes;
    for (std::int64_t k = 0; k < t.segments[s].length; ++k, b += NV * kLanes) {
      F32 x[MR];
      unroll<0, MR>([&](auto m) { x[m] = broadcast(a[m * t.a_row + k]); });
      unroll<0, kPanels * NV>([&](auto j) {
        const F32 w = load(b + j / NV * panel_floats + j % NV * kLanes);
        unroll<0, MR>([&](auto m) { acc[j / NV][j % NV][m] = fma(x[m], w, acc[j / NV][j % NV][m]); });
      });
    }
  }
  const F32 lo = broadcast(t.lo), hi = broadcast(t.hi);
  unroll<0, MR>([&](auto m) {
    unroll<0, kPanels * NV>([&](auto j) {
      F32 v = acc[j / NV][j % NV][m];
      if (t.residual != nullptr) v = add(v, load(t.residual + m * t.residual_row + j * kLanes));
      store(t.y + m * t.y_row + j * t.y_vector, clip(v, lo, hi));
    });
  });
}

/// Two rows gain 1.4 to 1.5 and three 1.3 to 2.0 by two panels at once, with weights in the level-2 cache or beyond (Zen 3, 2026-11-30).
/// Not timed where there are more registers.
constexpr std::int64_t kInterleavedRows = kStepsAtOnce > 1 ? 3 : 1;

/// Whole panels that a product of few rows takes at once, of those that are left.
[[gnu::always_inline]] inline std::int64_t panels_at_once(const GemmWork& w, std::int64_t left) {
  if (w.rows > kInterleavedRows || w.panel_vectors != 2 || left < 2) return 1;
  return w.rows == 1 && left >= 4 ? 4 : 2;
}

[[gnu::always_inline]] inline void interleave(const GemmTiles& t, std::int64_t rows, std::int64_t panels, std::int64_t panel_floats) {
  if constexpr (kInterleavedRows > 1) {
    if (rows > 1) return (rows == 2 ? interleaved_panels<2, 2, 2> : interleaved_panels<3, 2, 2>)(t, panel_floats);
  }
  (panels == 4 ? interleaved_panels<1, 4, 2> : interleaved_panels<1, 2, 2>)(t, panel_floats);
}

/// Constants of all tiles of a work.
[[gnu::always_inline]] inline GemmTiles tiles_of(const GemmWork& w) {
  GemmTiles t;
  t.a_row = w.a_row;
  t.segments = w.segments;
  t.segment_count = w.segment_count;
  t.y_row = w.y_row;
  t.y_vector = w.y_vector;
  t.residual_row = w.residual_row;
  t.lo = epilogue_lo(w.activation);
  t.hi = epilogue_hi(w.activation);
  t.far = w.far;
  return t;
}

/// What the tiles of a panel fetch: what follows its weights, or so many `lines` of far inputs; or weights, and as many lines of inputs.
struct Fetched {
  const float* at;
  std::int64_t lines = 0;
  const float* inputs = nullptr;
  bool far = false;  ///< rows of y as well, next to any number of tiles
};
/// Whether tiles fetch what follows the weights of a panel that they multiply, `k` rows of them, which many hardly notice, or inputs.
[[gnu::always_inline]] inline bool fetching_pays(const Fetched& f, std::int64_t tiles, std::int64_t height, std::int64_t k,
                                                 const Panel& panel) {
  return kMostFetchingRows > 0 && f.at != nullptr && tiles > 1 && (f.far || (tiles <= 48 && k >= 64)) && height >= kLeastFetchingRows &&
         panel.vectors == 2 && panel.half == HalfPanel::none;
}
/// Steps of k for each of which one of `tiles` fetches a line, so that all fetch as much as they multiply, or somewhat more: whole rounds,
/// unless they are less than one.
[[gnu::always_inline]] inline std::int64_t steps_of_line(const Fetched& f, std::int64_t tiles, std::int64_t k) {
  const std::int64_t lines = f.lines > 0 ? f.lines : k * 2 * kLanes * static_cast<std::int64_t>(sizeof(float)) / kLineBytes;
  const std::int64_t steps = lines < tiles * k ? tiles * k / lines : 1;
  return steps < kStepsAtOnce ? steps : steps / kStepsAtOnce * kStepsAtOnce;
}

/// Next to the first panels so much of what lies behind the whole matrix is fetched as well: a dense layer on one pixel reads at the speed
/// of the level-3 cache, and has nothing to fetch it next to. Two of them are a sixth of MobileNetV4-small; it takes 1 % less so (Xeon,
/// Emerald Rapids, 2026-11-28).
constexpr std::int64_t kLaterFloats = 262144;

/// The weights behind a panel. Those of a network are adjacent, so that behind the last one is what the next step reads first.
[[gnu::always_inline]] inline const float* behind(const GemmWork& w, const Panel& panel) {
  return w.b + (panel.column + panel.columns) * w.k;
}

/// The part of the inputs of the next block of rows that the tiles of a panel fetch.
[[gnu::always_inline]] inline Fetched far_inputs(const GemmWork& w, const Panel& panel, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kFloats = kLineBytes / static_cast<std::int64_t>(sizeof(float));
  const std::int64_t left = w.rows - end, next = left < end - begin ? left : end - begin;
  const std::int64_t lines = next * w.a_row / (kFloats * (w.panel_end - w.panel_begin)) + 1;
  return {w.a + end * w.a_row + (panel.column / (w.panel_vectors * kLanes) - w.panel_begin) * lines * kFloats, lines};
}

/// One panel for rows [begin, end): tiles of nearly equal height, because a single last row would cost as much as a whole tile. Few tiles
/// fetch what is `ahead`, if anything, as much as the panel has: its first one would read 50 GB/s, and a core gets 16 from the level-3
/// cache, where weights of networks wait. 7x7 160->960 with weights from there reaches 168 GFLOP/s so, 107 otherwise.
inline void gemm_panel(const GemmWork& w, GemmTiles& t, const Panel& panel, std::int64_t begin, std::int64_t end, const Fetched& ahead) {
  const std::int64_t rows = end - begin;
  const bool half = panel.half != HalfPanel::none;
  const std::int64_t most = half ? max_half_tile_rows(panel.vectors) : max_tile_rows(panel.vectors);
  const std::int64_t tiles = (rows + most - 1) / most;
  const std::int64_t height = rows / tiles, taller = rows % tiles;
  const bool fetches = fetching_pays(ahead, tiles, height, w.k, panel);
  t.ahead.steps = fetches && w.k >= 64 ? steps_of_line(ahead, tiles, w.k) : w.k;
  if (kFetchesFar && fetches && ahead.inputs != nullptr) {
    t.ahead.later = reinterpret_cast<const char*>(ahead.inputs) - reinterpret_cast<const char*>(ahead.at);
  } else {
    const bool more = ahead.lines == 0 && panel.column * w.k < kLaterFloats;
    t.ahead.later = more ? w.panels * w.panel_vectors * kLanes * w.k * std::int64_t{sizeof(float)} : 0;
  }
  t.ahead.each = kLineBytes;
  if (t.ahead.steps < kStepsAtOnce && ahead.inputs == nullptr) {  // of two or three tiles each fetches two adjacent lines in a round
    t.ahead.steps = kStepsAtOnce;
    t.ahead.later = kLineBytes;
    t.ahead.each = 2 * kLineBytes;
  }
  t.b = w.b + panel.column * w.k;
  t.bias = w.bias + panel.column;
  t.last_lanes = static_cast<int>(panel.columns - (panel.vectors - (half ? 0 : 1)) * kLanes);
  if (kFewColumns > 0 && panel.columns <= kFewColumns) {
    t.a = w.a + begin * w.a_row;
    t.y = w.y + (begin * w.y_row + panel.column);
    t.residual = w.residual;
    if (few_columns(t, rows, panel.columns, panel.vectors)) return;
  }
  const GemmTileTable& table = tiles_for(panel.half);
  const auto run = [&](std::int64_t first, std::int64_t tile_rows, std::int64_t count) {
    if (count == 0) return;
    const std::int64_t row = begin + first * (height + 1);
    t.a = w.a + row * w.a_row;
    t.y = w.y + row * w.y_row + panel.column / kLanes * w.y_vector;
    t.residual = w.residual == nullptr ? nullptr : w.residual + row * w.residual_row + panel.column;
    t.count = count;
    if (fetches) t.ahead.at = reinterpret_cast<const char*>(ahead.at) + first * (w.k / t.ahead.steps) * t.ahead.each;
    (fetches ? table.fetching : table.at[panel.vectors])[tile_rows - 1](t);
  };
  run(0, height + 1, taller);
  run(taller, height, tiles - taller);
}

/// Of these a panel of two vectors of AVX-512 is 14 KB, and rows of 112 pixels are whole.
constexpr std::int64_t kActivatedRows = 112;

inline void finish_columns(const GemmWork& w, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
  if (w.activation.kind == ActivationKind::clip) return;
  if (w.y_vector == kLanes) return activate_block(w.y + row * w.y_row + column, rows, w.y_row, columns, w.activation);
  for (std::int64_t c = 0; c < columns; c += kLanes) {
    const std::int64_t n = columns - c < kLanes ? columns - c : kLanes;
    activate_block(w.y + row * w.y_row + (column + c) / kLanes * w.y_vector, rows, w.y_row, n, w.activation);
  }
}

/// One panel for rows [begin, end), so many at a time that the level-1 cache has what an activation other than a clip reads again.
inline void gemm_rows(const GemmWork& w, GemmTiles& t, const Panel& panel, bool last, std::int64_t begin, std::int64_t end) {
  const std::int64_t most = w.activation.kind == ActivationKind::clip ? w.rows : kActivatedRows;
  Fetched ahead{nullptr};
  const bool far = kFetchesFar && w.far, inputs = far && end < w.rows;
  if (inputs && !w.fetch_again) {
    ahead = far_inputs(w, panel, begin, end);
  } else if (last && end < w.rows) {
    if (w.fetch_again) ahead.at = w.b + w.panel_begin * w.panel_vectors * kLanes * w.k;
  } else if (last || begin == 0 || w.fetch_again || far) {  // next to anything, tiles fetch rows of y
    ahead.at = behind(w, panel);
  }
  if (inputs && w.fetch_again) ahead.inputs = far_inputs(w, panel, begin, end).at;
  ahead.far = far;
  for (std::int64_t row = begin, next; row < end; row = next, ahead.at = nullptr) {
    next = end - row <= most + most / 4 ? end : row + most;
    gemm_panel(w, t, panel, row, next, ahead);
    finish_columns(w, row, next - row, panel.column, panel.columns);
  }
}

inline void gemm(const GemmWork& w) {
  GemmTiles t = tiles_of(w);
  const std::int64_t whole = w.panels - (w.columns == w.panels * w.panel_vectors * kLanes ? 0 : 1);
  for (std::int64_t row = 0, end; row < w.rows; row = end) {
    // A few last rows join the block before: they would read all weights as well.
    end = w.rows - row <= w.block_rows + w.block_rows / 4 ? w.rows : row + w.block_rows;
    for (std::int64_t p = w.panel_begin; p < w.panel_end;) {
      const Panel panel = panel_at(w, p);
      const std::int64_t left = (whole < w.panel_end ? whole : w.panel_end) - p;
      const std::int64_t panels = panels_at_once(w, left);
      if (panels > 1) {
        t.a = w.a;
        t.b = w.b + panel.column * w.k;
        t.bias = w.bias + panel.column;
        t.y = w.y + panel.column / kLanes * w.y_vector;
        t.residual = w.residual == nullptr ? nullptr : w.residual + panel.column;
        interleave(t, w.rows, panels, panel.columns * w.k);
        finish_columns(w, 0, w.rows, panel.column, panels * panel.columns);
      } else {
        gemm_rows(w, t, panel, p + 1 == w.panel_end, row, end);
      }
      p += panels;
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
