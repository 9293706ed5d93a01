// Register tiles for few registers: TH x TW outputs of V adjacent vectors of channels, for all channels one after the other before the next
// tile, so that a pixel's lines are read in the order of addresses. A weight is loaded once for the TH rows that it serves.
#pragma once

#include "kernels/depthwise/lean_slide.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class F, int TH, int TW>
class LeanTile {
 public:
  static constexpr int kRows = (TH - 1) * F::SH + F::KH;
  static constexpr int kColumns = (TW - 1) * F::SW + F::KW;
  static constexpr int kTaps = F::KH * F::KW;

  /// `count` groups of V vectors from g on; g.x is at the tile's first column, which may lie left of the image. Input rows [RowBegin,
  /// RowEnd) exist, and the columns whose bits are set.
  template <int V, int RowBegin, int RowEnd>
  [[gnu::flatten, gnu::noinline]] static void run(const DepthwiseWork& w, const float* const* row, const ChannelGroup& g,
                                                  std::uint32_t columns, std::int64_t count, float* y) {
    const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
    const std::int64_t pixel = w.x_pixel, vector = w.x_vector, y_row = w.y_row, y_pixel = w.y_pixel;
    const float *weights = g.weights, *bias = g.bias;
    const float* rows[kRows];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) rows[i] = row[i];
    std::int64_t x = g.x;
    y += g.y;
    for (; count > 0; --count) {
      F32 acc[TH][TW][V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        const F32 b = load(bias + v * kLanes);
#pragma GCC unroll 32
        for (int i = 0; i < TH * TW; ++i) acc[i / TW][i % TW][v] = b;
      }
      std::int64_t column = x;
#pragma GCC unroll 16
      for (int ix = 0; ix < kColumns; ++ix) {
        std::int64_t at = column;
        column = opaque(column + pixel);
        if ((columns >> ix & 1U) == 0) continue;
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) {
          F32 in[kRows];
#pragma GCC unroll 8
          for (int kh = 0; kh < F::KH; ++kh) {
#pragma GCC unroll 8
            for (int r = 0; r < TH; ++r) {
              const int iy = r * F::SH + kh;
              if (iy >= RowBegin && iy < RowEnd && (kh < F::SH || r == TH - 1)) in[iy] = in_register(load(rows[iy] + at));
            }
#pragma GCC unroll 8
            for (int c = 0; c < TW; ++c) {
              const int kw = ix - c * F::SW;
              if (kw < 0 || kw >= F::KW) continue;
              const F32 tap = shared<TH>(load(weights + (v * kTaps + kw * F::KH + kh) * kLanes));
#pragma GCC unroll 8
              for (int r = 0; r < TH; ++r) {
                const int iy = r * F::SH + kh;
                if (iy >= RowBegin && iy < RowEnd) acc[r][c][v] = fma(in[iy], tap, acc[r][c][v]);
              }
            }
          }
          at = opaque(at + vector);
        }
        asm volatile("" ::: "memory");
      }
#pragma GCC unroll 32
      for (int i = 0; i < TH * TW; ++i) {
        float* const at = y + i / TW * y_row + i % TW * y_pixel;
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) store(at + v * kLanes, clip(acc[i / TW][i % TW][v], lo, hi));
      }
      x += V * vector;
      y += V * kLanes;
      weights += V * kTaps * kLanes;
      bias += V * kLanes;
    }
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
