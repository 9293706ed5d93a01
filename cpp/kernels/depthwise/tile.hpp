// Depthwise tiles of TH x 2 outputs, one tap apart, for filters of KH rows and any number of columns: as lean_tile.hpp, with less code.
//
// Input columns pass one by one. Those in the padding are not visited; rows in the padding are tested for, which processors foresee.
#pragma once

#include "kernels/depthwise/generic.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Rows of a tile.
constexpr int kHighTile = kRegisters == 32 ? 7 : 4, kLowTile = kRegisters == 32 ? 4 : 3;

/// A tile's first input and output; bits of the input rows that exist; input columns [begin, end) exist.
struct TilePlace {
  const float* x;
  float* y;
  std::uint32_t rows;
  std::int64_t begin, end;
  std::int64_t row, pixel, y_row, y_pixel;  ///< from one input to the next, from one output to the next
  std::int64_t taps, columns;               ///< of the filter
  std::int64_t tap_begin, tap_end;          ///< rows of the filter that have an input for some output
  std::int64_t apart;                       ///< columns between the outputs of a row
};

/// Rows [0, KH) of one column of the filter, for outputs [Begin, End) of a row; `taps` are those that the column is to output 0, those to
/// output 1 are `w_column` floats before.
template <int KH, int Begin, int End, int TH>
[[gnu::always_inline]] inline void add_tile_rows(F32 (&acc)[TH][2], const float*& x, std::int64_t row, const float*& taps,
                                                 std::int64_t w_column) {
  F32 in[KH + TH - 1];
  const float* q = x;
  unroll<0, KH>([&](auto kh) __attribute__((always_inline)) {
    constexpr int kFrom = kh == 0 ? 0 : kh + TH - 1;
    unroll<kFrom, kh + TH>([&](auto i) __attribute__((always_inline)) {
      in[i] = in_register(load(q));
      q = opaque(q + row);
    });
    unroll<Begin, End>([&](auto c) __attribute__((always_inline)) {
      const F32 weight = in_register(load(taps + kh * kLanes - c * w_column));
      unroll<0, TH>([&](auto r) __attribute__((always_inline)) { acc[r][c] = fma(in[kh + r], weight, acc[r][c]); });
    });
  });
  x = opaque(x + KH * row);
  taps = opaque(taps + KH * kLanes);
}

/// One row of a column of the filter where only those inputs exist whose bits are set.
template <int Begin, int End, int TH>
[[gnu::always_inline]] inline void add_some_rows(F32 (&acc)[TH][2], const float* x, std::int64_t row, std::uint32_t rows, const float* taps,
                                                 std::int64_t w_column) {
  F32 weights[2];
  unroll<Begin, End>([&](auto c) __attribute__((always_inline)) { weights[c] = in_register(load(taps - c * w_column)); });
  unroll<0, TH>([&](auto r) __attribute__((always_inline)) {
    if ((rows & 1U << r) != 0) {
      const F32 in = load(x);
      unroll<Begin, End>([&](auto c) __attribute__((always_inline)) { acc[r][c] = fma(in, weights[c], acc[r][c]); });
    }
    x = opaque(x + row);
  });
}

/// The tile's vectors [v_begin, v_end).
template <int TH, bool kAll>
[[gnu::flatten, gnu::noinline]] inline void tile(const DepthwiseWork& w, const TilePlace& t, std::int64_t v_begin, std::int64_t v_end) {
  const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
  const std::int64_t row = t.row, pixel = t.pixel, y_row = t.y_row, y_pixel = t.y_pixel, columns = t.columns;
  const std::int64_t w_column = t.taps * kLanes, all = columns * w_column, w_second = t.apart * w_column, twos = t.taps / 2 - t.taps % 2;
  const float* x = t.x + v_begin * w.x_vector + t.begin * pixel + t.tap_begin * row;
  const float* weights = w.weights + v_begin * all + t.begin * w_column + t.tap_begin * kLanes;
  float* y = t.y + v_begin * kLanes;
  const bool odd = t.taps % 2 != 0;
  // Columns that are for the first output alone, for both, and for the second.
  const std::int64_t first = at_most(t.apart, t.end) - t.begin, both = at_most(t.end, columns) - at_least(t.begin, t.apart);
  const std::int64_t second = t.end - at_least(t.begin, columns);
  for (std::int64_t v = v_begin; v < v_end; ++v) {
    F32 acc[TH][2];
    const F32 bias = load(w.bias + v * kLanes);
    unroll<0, TH * 2>([&](auto i) { acc[i / 2][i % 2] = bias; });
    const float *p = x, *tap = weights;
    const auto column = [&](auto begin, auto end) __attribute__((always_inline)) {
      const float *from = p, *taps = tap;
      if constexpr (kAll) {
        if (odd) add_tile_rows<3, begin, end>(acc, from, row, taps, w_second);
        for (std::int64_t i = twos; i > 0; --i) add_tile_rows<2, begin, end>(acc, from, row, taps, w_second);
      } else {
        std::uint32_t rows = t.rows;
        for (std::int64_t i = t.tap_end - t.tap_begin; i > 0; --i, rows >>= 1) {
          add_some_rows<begin, end>(acc, from, row, rows, taps, w_second);
          from = opaque(from + row);
          taps = opaque(taps + kLanes);
        }
      }
      p = opaque(p + pixel);
      tap = opaque(tap + w_column);
    };
    for (std::int64_t i = first; i > 0; --i) column(Index<0>{}, Index<1>{});
    for (std::int64_t i = both; i > 0; --i) column(Index<0>{}, Index<2>{});
    for (std::int64_t i = second; i > 0; --i) column(Index<1>{}, Index<2>{});
    float* to = y;
    unroll<0, TH>([&](auto r) __attribute__((always_inline)) {
      store(to, clip(acc[r][0], lo, hi));
      store(to + y_pixel, clip(acc[r][1], lo, hi));
      to = opaque(to + y_row);
    });
    x += w.x_vector;
    y += kLanes;
    weights += all;
  }
}

/// Positions [begin, end) that exist of `count`, the first of which is at `position`.
struct Existing {
  std::int64_t begin, end;
  Existing(const Axis& a, std::int64_t output, std::int64_t count) {
    const std::int64_t position = output * a.stride - a.pad;
    end = at_most(steps_over(a.size - position, a.dilation), count);
    begin = at_most(steps_over(-position, a.dilation), end);
  }
};

/// TH outputs along `down`, for all outputs along `across`.
template <int TH>
[[gnu::noinline]] inline void tile_group(const DepthwiseWork& w, const Axis& down, const Axis& across, std::int64_t output,
                                         std::int64_t v_begin, std::int64_t v_end) {
  constexpr std::int64_t kStrip = 128 / kLanes;  // 512 bytes of a pixel, as in lean_walk.hpp
  const std::int64_t all = down.taps + TH - 1, apart = across.stride / across.dilation;
  const Existing rows(down, output, all);
  TilePlace t{};
  t.tap_begin = at_least(rows.begin - TH + 1, 0);
  t.tap_end = at_most(rows.end, down.taps);
  t.rows = ((1U << rows.end) - (1U << rows.begin)) >> t.tap_begin;
  t.row = down.dilation * down.x;
  t.pixel = across.dilation * across.x;
  t.y_row = down.y;
  t.y_pixel = across.y;
  t.taps = down.taps;
  t.columns = across.taps;
  t.apart = apart;
  const auto run = TH == kHighTile && rows.end - rows.begin == all ? tile<TH, TH == kHighTile> : tile<TH, false>;
  for (std::int64_t v = v_begin; v < v_end; v += kStrip) {
    for (std::int64_t i = 0; i < across.outputs; i += 2) {
      const std::int64_t column = at_most(i, across.outputs - 2);
      const Existing columns(across, column, across.taps + apart);
      t.x = w.x + (output * down.stride - down.pad) * down.x + (column * across.stride - across.pad) * across.x;
      t.y = w.y + output * down.y + column * across.y;
      t.begin = columns.begin;
      t.end = columns.end;
      run(w, t, v, at_most(v + kStrip, v_end));
    }
  }
}

/// done(first, count): groups of kHighTile outputs along `down`, then of kLowTile, that cover the fewest.
template <class Done>
inline void tile_groups(const DepthwiseWork& w, const Axis& down, const Axis& across, std::int64_t v_begin, std::int64_t v_end,
                        const Done& done) {
  const auto covered = [&](std::int64_t high) {
    return high * kHighTile + (down.outputs - high * kHighTile + kLowTile - 1) / kLowTile * kLowTile;
  };
  const std::int64_t most = down.outputs / kHighTile;
  std::int64_t high = most, output = 0;
  for (std::int64_t i = most - 1; i >= 0 && i > most - kLowTile; --i) {
    if (covered(i) < covered(high)) high = i;
  }
  for (; high > 0; --high, output += kHighTile) {
    tile_group<kHighTile>(w, down, across, output, v_begin, v_end);
    done(output, kHighTile);
  }
  for (; output < down.outputs; output += kLowTile) {
    const std::int64_t first = at_most(output, down.outputs - kLowTile);
    tile_group<kLowTile>(w, down, across, first, v_begin, v_end);
    done(first, kLowTile);
  }
}

/// Whether tiles can: outputs along `down` are one tap apart, those along `across` one or two; whole vectors of channels.
inline bool tiles_fit(const DepthwiseWork& w, const Axis& down, const Axis& across, std::int64_t v_end) {
  const bool apart = across.stride == across.dilation || (across.stride == 2 * across.dilation && across.taps >= 2);
  return w.ring >= w.height && v_end * kLanes <= w.channels && down.stride == down.dilation && down.outputs >= kLowTile &&
         down.taps <= 24 && apart && across.outputs >= 2;
}

/// Whether tiles are the fastest, where they can. us, blocks and lists / tiles, Emerald Rapids, 2026-11-28:
///   AVX-512  14x14x480 4x4 40 / 27, 5x3 39 / 27, 7x1 23 / 19, 1x7 23 / 19, 28x28x192 3x3 s(1, 2) 23 / 16, 3x1 24 / 29, 2x2 20 / 22
///            16 bytes past a line: 14x14x480 4x4 51 / 47, 28x28x192 6x6 111 / 134
///   AVX2     14x14x480 4x4 69 / 53, 1x7 36 / 36, 56x56x64 7x1 73 / 57, 7x9 308 / 336, 100x5x128 9x9 239 / 105, 28x28x192 2x5 56 / 51
inline bool by_tiles(const DepthwiseWork& w, std::int64_t v_end) {
  const Axis rows = rows_of(w), columns = columns_of(w);
  if (w.kh == 1) {
    return kRegisters == 32 && w.kw >= 5 && w.kw <= 11 && w.out_width < 4 * w.kw && tiles_fit(w, columns, rows, v_end);
  }
  const std::int64_t taps = w.kh * w.kw;
  if (!tiles_fit(w, rows, columns, v_end) || taps < (w.kw == 1 ? kRegisters == 32 ? 5 : 6 : 8)) return false;
  if (w.out_width <= 2 * kWide) return true;
  // Low images are border alone: 3x80x512 5x5 s(1, 2) by AVX2 76 / 119, 9x160x256 3x3 s(1, 2) by AVX-512 140 / 175.
  if (w.stride_w > w.dilation_w) return rows.outputs >= 3 * kHighTile;
  // 100x96x64 6x6: AVX2 637 / 698, AVX-512 580 / 653. Zen 3: 28x28x256 6x6 344 / 243, 20x20x192 91 / 84, 28x28x120 7x6 110 / 100, but
  // 56x56x64 6x6 259 / 280, and 8x8 and 9x9 on 20 and 28 columns take 0.95 to 1.2 times as long; 14x14x120 9x9 64 / 43, 480 8x8 196 / 161.
  const std::int64_t most = kLanes > 8 || kRegisters == 32 || w.out_width > 28 ? 35 : w.out_width > 14 ? 48 : 90;
  if (taps > most) return false;
  // Where loads cross cache lines of AVX-512, blocks load less, but for their edges.
  const bool crosses = (reinterpret_cast<std::uintptr_t>(w.x) | static_cast<std::uintptr_t>(w.x_pixel) * sizeof(float)) % 64 != 0;
  const std::int64_t inside = (w.height - w.kh + 1) * (w.out_width - w.kw + 1);
  return kRegisters < 32 || !crosses || inside * 3 < w.height * w.out_width * 2;
}

/// All outputs; filters of one row with tiles along the row, over two rows.
inline void tiles(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end) {
  const auto finish = [&](std::int64_t row, std::int64_t rows) { finish_rows(w, row, static_cast<int>(rows), v_begin, v_end); };
  if (w.kh > 1) return tile_groups(w, rows_of(w), columns_of(w), v_begin, v_end, finish);
  const std::int64_t all = w.y_end - w.y_begin;
  for (std::int64_t row = 0, rows = 0; row < all; row += rows) {
    rows = all - row < 6 ? all - row : 4;
    const DepthwiseWork part = rows_of_work(w, row, row + rows);
    tile_groups(part, columns_of(part), rows_of(part), v_begin, v_end, [](std::int64_t, std::int64_t) {});
    finish(row, rows);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
