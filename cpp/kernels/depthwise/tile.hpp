// Depthwise kernels for one filter size and stride: a register tile of TH x TW output pixels of one vector of channels.
//
// The tile meets the input column by column; the inputs of a column are loaded once and stay in registers while the filter's
// columns that touch it pass over them. So each output sums its taps column by column, top to bottom in each: the canonical order.
#pragma once

#include "kernels/depthwise/rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <int KH_, int KW_, int SH_, int SW_>
struct Filter {
  static constexpr int KH = KH_, KW = KW_, SH = SH_, SW = SW_;
};

/// A tile's place: pointers are at its first channel.
struct TilePlace {
  const float* const* rows;  ///< input rows of the tile at pixel 0 of the image; null for padding
  std::int64_t x;            ///< offset of the tile's first input column, may lie left of the image
  std::int64_t x_pixel;
  int column_begin, column_end;  ///< input columns of the tile that exist
  int lanes;                     ///< channels that exist
  const float* weights;
  const float* bias;
  float* y;
  std::int64_t y_row, y_pixel;
};

/// acc[OY][OX] += in * weight, where the tile's input (IY, IX) meets that output at all.
template <class F, int TH, int TW, int OY, int OX, int IY, int IX>
[[gnu::always_inline]] inline void add_tap(F32 (&acc)[TH][TW], F32 in, const float* weights) {
  constexpr int kh = IY - OY * F::SH, kw = IX - OX * F::SW;
  if constexpr (kh >= 0 && kh < F::KH && kw >= 0 && kw < F::KW) {
    acc[OY][OX] = fma(in, load(weights + (kw * F::KH + kh) * kLanes), acc[OY][OX]);
  }
}

/// kAnywhere: also where rows or columns fall in the padding, or the channels do not fill a vector.
template <class F, int TH, int TW, bool kAnywhere>
[[gnu::always_inline]] inline void tile(const TilePlace& t, F32 lo, F32 hi) {
  constexpr int kRows = (TH - 1) * F::SH + F::KH;
  constexpr int kColumns = (TW - 1) * F::SW + F::KW;
  // With few registers the compiler would hoist all weights and spill: make it read them again for each column.
  constexpr bool kRereadWeights = F::KH * F::KW + TH * TW + kRows + 1 > kRegisters;

  F32 acc[TH][TW];
  const F32 bias = load(t.bias);
  unroll<0, TH>([&](auto oy) { unroll<0, TW>([&](auto ox) { acc[oy][ox] = bias; }); });

  unroll<0, kColumns>([&](auto ix) __attribute__((always_inline)) {
    if constexpr (kRereadWeights) asm volatile("" ::: "memory");
    const std::int64_t column = t.x + ix * t.x_pixel;
    if constexpr (kAnywhere) {
      if (ix < t.column_begin || ix >= t.column_end) return;
      unroll<0, kRows>([&](auto iy) {
        if (t.rows[iy] == nullptr) return;
        const F32 in = load_up_to(t.rows[iy] + column, t.lanes);
        unroll<0, TH * TW>([&](auto o) { add_tap<F, TH, TW, o / TW, o % TW, iy, ix>(acc, in, t.weights); });
      });
    } else {
      F32 in[kRows];
      unroll<0, kRows>([&](auto iy) { in[iy] = load(t.rows[iy] + column); });
      unroll<0, TW>([&](auto ox) {
        unroll<0, F::KH>([&](auto kh) {
          unroll<0, TH>([&](auto oy) { add_tap<F, TH, TW, oy, ox, oy * F::SH + kh, ix>(acc, in[oy * F::SH + kh], t.weights); });
        });
      });
    }
  });

  unroll<0, TH>([&](auto oy) {
    unroll<0, TW>([&](auto ox) {
      float* y = t.y + oy * t.y_row + ox * t.y_pixel;
      const F32 v = clip(acc[oy][ox], lo, hi);
      if constexpr (kAnywhere) {
        store_up_to(y, v, t.lanes);
      } else {
        store(y, v);
      }
    });
  });
}

/// Tiles of TW pixels of TH output rows from y_begin + row on, from column ox on, while they fit; returns the first column not done.
template <class F, int TH, int TW>
[[gnu::flatten]] inline std::int64_t tile_columns(const DepthwiseWork& w, const float* const* rows, bool all_rows, std::int64_t row,
                                                  std::int64_t ox, std::int64_t v_begin, std::int64_t v_end) {
  constexpr int kColumns = (TW - 1) * F::SW + F::KW;
  constexpr int kTaps = F::KH * F::KW;
  const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
  float* const y = w.y + row * w.y_row;
  const std::int64_t full_end = w.channels / kLanes < v_end ? w.channels / kLanes : v_end;
  for (; ox + TW <= w.out_width; ox += TW) {
    const std::int64_t ix = ox * F::SW - w.pad_left;
    TilePlace t;
    t.rows = rows;
    t.x = ix * w.x_pixel + v_begin * w.x_vector;
    t.x_pixel = w.x_pixel;
    t.column_begin = clamp_to(-ix, kColumns);
    t.column_end = clamp_to(w.width - ix, kColumns);
    t.lanes = kLanes;
    t.weights = w.weights + v_begin * kTaps * kLanes;
    t.bias = w.bias + v_begin * kLanes;
    t.y = y + ox * w.y_pixel + v_begin * kLanes;
    t.y_row = w.y_row;
    t.y_pixel = w.y_pixel;
    const bool inside = all_rows && t.column_begin == 0 && t.column_end == kColumns;
    std::int64_t v = v_begin;
    const auto next = [&] {
      t.x += w.x_vector;
      t.weights += kTaps * kLanes;
      t.bias += kLanes;
      t.y += kLanes;
    };
    if (inside) {
      for (; v < full_end; ++v, next()) tile<F, TH, TW, false>(t, lo, hi);
    }
    for (; v < v_end; ++v, next()) {
      t.lanes = valid_lanes(w, v);
      tile<F, TH, TW, true>(t, lo, hi);
    }
    if (w.finish) finish_pixels(w, row, TH, ox, TW, v_begin, v_end);
  }
  return ox;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
