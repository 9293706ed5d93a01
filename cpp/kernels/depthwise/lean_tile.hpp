// Register tiles: TH x TW outputs of V adjacent vectors of channels, for all channels one after the other before the next tile, so that a
// pixel's lines are read in the order of addresses. A weight is loaded once for the TH rows that it serves.
//
// Input columns pass one by one. Those that all outputs of a row take part in are a loop: unrolled, 5x5 and 7x7 were three to four times
// the code and no faster.
#pragma once

#include "kernels/depthwise/lean_slide.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class F, int TH, int TW>
class LeanTile {
 public:
  static constexpr int kRows = (TH - 1) * F::SH + F::KH;
  static constexpr int kColumns = (TW - 1) * F::SW + F::KW;
  static constexpr int kTaps = F::KH * F::KW;

  /// Whether a call computes several adjacent tiles: 3x3 of 28x28x64 12.1 -> 11.2 us (AMD EPYC, Zen 3, AVX2, 2026-11-29).
  static constexpr bool kManyTiles = kRegisters < 32 && F::KH == 3 && TW == 2;
  static_assert(!kManyTiles || kColumns <= 16, "columns of two tiles are bits of 32");

  /// `groups` groups of V vectors from g on; g.x is at the tile's first column, which may lie left of the image. Input rows [RowBegin,
  /// RowEnd) exist, and the columns whose bits are set: of the first tile; from bit 16 on of the last, where there are several.
  template <int V, int RowBegin, int RowEnd>
  [[gnu::flatten, gnu::noinline]] static void run(const DepthwiseWork& w, const float* const* row, const ChannelGroup& g,
                                                  std::uint32_t columns, std::int64_t groups, float* y,
                                                  [[maybe_unused]] std::int64_t tiles) {
    const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
    const std::int64_t pixel = w.x_pixel, vector = w.x_vector, y_row = w.y_row, y_pixel = w.y_pixel;
    const float* rows[kRows];
    unroll<0, kRows>([&](auto i) { rows[i] = row[i]; });
    std::int64_t from = g.x;
    y += g.y;
    for (;; from += TW * F::SW * pixel, y += TW * y_pixel - groups * V * kLanes) {
      const float *weights = g.weights, *bias = g.bias;
      std::int64_t x = from;
      for (std::int64_t count = groups; count > 0; --count) {
        F32 acc[TH][TW][V];
        unroll<0, V>([&](auto v) {
          const F32 b = load(bias + v * kLanes);
          unroll<0, TH * TW>([&](auto i) { acc[i / TW][i % TW][v] = b; });
        });
        std::int64_t column = x;
        const float* taps = weights;
        const auto next = [&](bool exists, auto begin, auto end) __attribute__((always_inline)) {
          if (exists) add_column<begin, end, RowBegin, RowEnd>(acc, rows, column, vector, taps);
          column = opaque(column + pixel);
          taps = opaque(taps + F::KH * kLanes);  // or the compiler keeps weights in registers for the next column, and outputs on the stack
        };
        const auto unrolled = [&](auto ix) __attribute__((always_inline)) {
          constexpr int first = ix - F::KW + F::SW, begin = first > 0 ? first / F::SW : 0, last = ix / F::SW + 1,
                        end = last < TW ? last : TW;
          next((columns >> ix & 1U) != 0, Index<begin>{}, Index<end>{});
        };
        constexpr int kBegin = (TW - 1) * F::SW, kEnd = F::KW;  // in which all outputs take part
        if constexpr (F::KW > 3) {
          unroll<0, kBegin>(unrolled);
          std::uint32_t exist = columns >> kBegin;
          for (int ix = opaque(kEnd - kBegin); ix > 0; --ix, exist >>= 1) next((exist & 1U) != 0, Index<0>{}, Index<TW>{});
          unroll<kEnd, kColumns>(unrolled);
        } else {
          unroll<0, kColumns>(unrolled);
        }
        unroll<0, TH * TW>([&](auto i) {
          float* const at = y + i / TW * y_row + i % TW * y_pixel;
          unroll<0, V>([&](auto v) { store(at + v * kLanes, clip(acc[i / TW][i % TW][v], lo, hi)); });
        });
        x += V * vector;
        y += V * kLanes;
        weights += V * kTaps * kLanes;
        bias += V * kLanes;
      }
      if (!kManyTiles || --tiles <= 0) return;
      columns = tiles == 1 ? columns >> 16 : columns | 0xFFFF;
    }
  }

 private:
  /// One input column, for outputs [Begin, End) of a row; `taps` are those that it is to output 0.
  template <int Begin, int End, int RowBegin, int RowEnd, int V>
  [[gnu::always_inline]] static inline void add_column(F32 (&acc)[TH][TW][V], const float* const (&rows)[kRows], std::int64_t at,
                                                       std::int64_t vector, const float* taps) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      F32 in[kRows];
#pragma GCC unroll 8
      for (int kh = 0; kh < F::KH; ++kh) {
#pragma GCC unroll 8
        for (int r = 0; r < TH; ++r) {
          const int iy = r * F::SH + kh;
          if (iy >= RowBegin && iy < RowEnd && (kh < F::SH || r == TH - 1))
            in[iy] = input_in_register<F, TH>(load(rows[iy] + at), iy, End - Begin);
        }
#pragma GCC unroll 8
        for (int c = Begin; c < End; ++c) {
          const F32 tap = shared<TH>(load(taps + (v * kTaps + kh - c * F::SW * F::KH) * kLanes));
#pragma GCC unroll 8
          for (int r = 0; r < TH; ++r) {
            const int iy = r * F::SH + kh;
            if (iy >= RowBegin && iy < RowEnd) acc[r][c][v] = fma(in[iy], tap, acc[r][c][v]);
          }
        }
      }
      at = opaque(at + vector);
    }
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
