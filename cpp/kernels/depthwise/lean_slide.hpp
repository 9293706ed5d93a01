// Depthwise kernels that slide along a row, for few registers: R output rows of V adjacent vectors of channels. Only the outputs in
// progress stay in registers; a weight is loaded once for the R rows that it serves: 3x3 over 2x2 takes 26 loads for 36 multiply-adds.
//
// Of every input column each filter column kw is for the output that is kw columns old (one output for each SW columns): outputs sum column
// by column, top to bottom in each, the canonical order. A column's end moves the outputs in progress by one age; processors rename
// registers for that, and an unrolled loop would be kPhases times the code.
#pragma once

#include "kernels/depthwise/rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// V adjacent vectors of channels: where they begin in the input's row, their weights and bias, and where in the output.
struct ChannelGroup {
  std::int64_t x;
  const float *weights, *bias;
  std::int64_t y;
};

/// A weight for `Uses` multiply-adds: one alone can take it from memory.
template <int Uses>
[[gnu::always_inline]] inline F32 shared(F32 weight) {
  return Uses > 1 ? in_register(weight) : weight;
}

/// Input row iy of R output rows' in a register, for as many of these rows as read it and `columns` outputs in each; what a single
/// multiply-add wants may come from memory, which is an instruction less.
template <class F, int R>
[[gnu::always_inline]] inline F32 input_in_register(F32 x, int iy, int columns) {
  int uses = 0;
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) uses += iy >= r * F::SH && iy < r * F::SH + F::KH ? columns : 0;
  return kRegisters < 32 && uses == 1 ? x : in_register(x);
}

template <class F, int R, int V>
class LeanSlide {
 public:
  static constexpr int kRows = (R - 1) * F::SH + F::KH;
  static constexpr int kPhases = (F::KW + F::SW - 1) / F::SW;
  static constexpr int kTaps = F::KH * F::KW;

  /// Output columns [0, w.out_width) of R rows from y on, of which input rows [Begin, End) exist.
  template <int Begin, int End>
  [[gnu::flatten, gnu::noinline]] static void run(const DepthwiseWork& w, const float* const* rows, const ChannelGroup& g, float* y) {
    LeanSlide s(w, rows, g, y);
    const std::int64_t steps = w.out_width + kPhases - 1;
    std::int64_t i = 0, column = -w.pad_left;
    if constexpr (F::KW == 3) {
      // Steps [inside, beyond) complete an output and have all their columns in the image. Larger filters do not notice the tests.
      const std::int64_t first = (w.pad_left + F::SW - 1) / F::SW, inside = first > kPhases - 1 ? first : kPhases - 1;
      const std::int64_t fit = w.width + w.pad_left >= F::SW ? (w.width + w.pad_left - F::SW) / F::SW + 1 : 0,
                         beyond = fit < steps ? fit : steps;
      for (; i < inside && i < steps; ++i, column += F::SW) s.template step<Begin, End, true>(column, w.width, i >= kPhases - 1);
      for (; i < beyond; ++i, column += F::SW) s.template step<Begin, End, false>(0, 0, true);
    }
    for (; i < steps; ++i, column += F::SW) s.template step<Begin, End, true>(column, w.width, i >= kPhases - 1);
  }

 private:
  [[gnu::always_inline]] inline LeanSlide(const DepthwiseWork& w, const float* const* rows, const ChannelGroup& g, float* y)
      : offset_(g.x - w.pad_left * w.x_pixel),
        pixel_(w.x_pixel),
        vector_(w.x_vector),
        weights_(g.weights),
        bias_(g.bias),
        y_(y + g.y - (kPhases - 1) * w.y_pixel),
        y_row_(w.y_row),
        y_pixel_(w.y_pixel),
        lo_(broadcast(w.lo)),
        hi_(broadcast(w.hi)) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) rows_[i] = rows[i];
#pragma GCC unroll 8
    for (int i = 0; i < kPhases; ++i) {
      begin();
      age();
    }
  }

  /// Outputs of age 0 are the bias.
  [[gnu::always_inline]] inline void begin() {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const F32 bias = load(bias_ + v * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) acc_[0][r][v] = bias;
    }
  }

  /// One output begins, the oldest ends: SW input columns. At an edge only those that exist.
  template <int Begin, int End, bool kEdge>
  [[gnu::always_inline]] inline void step(std::int64_t column, std::int64_t width, bool complete) {
    begin();
#pragma GCC unroll 8
    for (int j = 0; j < F::SW; ++j) {
      if (!kEdge || (column + j >= 0 && column + j < width)) add_column<Begin, End>(j);
      offset_ = opaque(offset_ + pixel_);
      if (j == (F::KW - 1) % F::SW && (!kEdge || complete)) finish();
    }
    y_ += y_pixel_;
    age();
    asm volatile("" ::: "memory");  // or the compiler keeps weights in registers, and outputs on the stack
  }

  [[gnu::always_inline]] inline void age() {
#pragma GCC unroll 8
    for (int age = kPhases - 1; age > 0; --age) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) acc_[age][r][v] = acc_[age - 1][r][v];
      }
    }
  }

  /// Column j of a step: each row is loaded as the filter's rows come to it, each weight once for all R outputs.
  template <int Begin, int End>
  [[gnu::always_inline]] inline void add_column(int j) {
    std::int64_t at = offset_;
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      F32 in[kRows];
#pragma GCC unroll 8
      for (int kh = 0; kh < F::KH; ++kh) {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          const int iy = r * F::SH + kh;
          if (iy >= Begin && iy < End && (kh < F::SH || r == R - 1))
            in[iy] = input_in_register<F, R>(load(rows_[iy] + at), iy, (F::KW - j + F::SW - 1) / F::SW);
        }
#pragma GCC unroll 8
        for (int kw = j; kw < F::KW; kw += F::SW) {
          const F32 tap = shared<R>(load(weights_ + (v * kTaps + kw * F::KH + kh) * kLanes));
#pragma GCC unroll 8
          for (int r = 0; r < R; ++r) {
            const int iy = r * F::SH + kh;
            F32& acc = acc_[kw / F::SW][r][v];
            if (iy >= Begin && iy < End) acc = fma(in[iy], tap, acc);
          }
        }
      }
      at = opaque(at + vector_);
    }
  }

  [[gnu::always_inline]] inline void finish() {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) store(y_ + r * y_row_ + v * kLanes, clip(acc_[kPhases - 1][r][v], lo_, hi_));
    }
  }

  const float* rows_[kRows];
  std::int64_t offset_, pixel_, vector_;
  const float *weights_, *bias_;
  float* y_;
  std::int64_t y_row_, y_pixel_;
  F32 lo_, hi_;
  F32 acc_[kPhases][R][V];
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
