// Depthwise outputs in blocks of Rows x Columns of one vector of channels, for any filter: the taps are loops around the block.
//
// Columns of the filter in order, and in each its rows top to bottom: the canonical order. An input is loaded once for a column of
// outputs, a weight once for a row. Where a column of the filter meets only some outputs, as in the padding, these are a range that is
// known at compile time: borders cost no more than their multiplications.
#pragma once

#include "kernels/depthwise/axis.hpp"
#include "kernels/depthwise/channels.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// What a block reads and writes, but for its vectors of channels.
template <int Rows, int Share>
struct BlockPlace {
  const DepthwiseWork* work;
  const Axis *down, *across;
  const Steps<Rows, Share>* steps;
};

/// One input position of the rows [First, Last): `Begin` to `End` of their outputs. `tap` is the weight of row 0, `w_tap` floats before
/// that of the next.
template <int Share, int First, int Last, int Begin, int End, class Channels, int Rows, int Columns>
[[gnu::always_inline]] inline void add_step(F32 (&acc)[Rows][Columns], const Channels& channels, const float* x, std::int64_t x_column,
                                            const float* tap, std::int64_t w_tap = kLanes) {
  F32 taps[Rows];
  unroll<First, Last>([&](auto r) __attribute__((always_inline)) { taps[r] = in_register(load(tap - r * Share * w_tap)); });
  unroll<Begin, End>([&](auto c) __attribute__((always_inline)) {
    const F32 in = Last - First > 1 ? in_register(channels(x + c * x_column)) : channels(x + c * x_column);
    unroll<First, Last>([&](auto r) __attribute__((always_inline)) { acc[r][c] = fma(in, taps[r], acc[r][c]); });
  });
}

/// One column of a filter of `taps` rows: outputs [Begin, End). `x` is the input of step 0, `weights` tap 0.
template <int Share, int Begin, int End, class Channels, int Rows, int Columns>
[[gnu::always_inline]] inline void add_column(F32 (&acc)[Rows][Columns], const Channels& channels, const float* x, std::int64_t x_column,
                                              const float* weights, std::int64_t taps, std::int64_t step) {
  constexpr int kSome = (Rows - 1) * Share;
  const auto next = [&](auto first, auto last) __attribute__((always_inline)) {
    add_step<Share, first, last, Begin, End>(acc, channels, x, x_column, weights);
    x += step;
    weights = opaque(weights + kLanes);  // or the compiler keeps weights for the next step, and an output on the stack
  };
  unroll<0, kSome>([&](auto i) __attribute__((always_inline)) { next(Index<0>{}, Index<i / Share + 1>{}); });
  const float* const end = weights + (taps - kSome) * kLanes;
  while (weights < end) next(Index<0>{}, Index<Rows>{});
  unroll<0, kSome>([&](auto i) __attribute__((always_inline)) { next(Index<i / Share + 1>{}, Index<Rows>{}); });
}

/// The same of those steps that exist, for all outputs.
template <class Channels, int Rows, int Columns, int Share>
[[gnu::always_inline]] inline void add_part(F32 (&acc)[Rows][Columns], const Channels& channels, const float* x, std::int64_t x_column,
                                            const float* weights, const Steps<Rows, Share>& s, std::int64_t back) {
  constexpr int kSome = Steps<Rows, Share>::kSome;
  const std::int64_t step = s.x;
  unroll<0, kSome>([&](auto i) __attribute__((always_inline)) {
    if ((s.some & 1U << i) != 0) add_step<Share, 0, i / Share + 1, 0, Columns>(acc, channels, x + i * step, x_column, weights + i * kLanes);
  });
  const float* p = x + s.begin * step;
  const float *tap = weights + s.begin * kLanes, *const wrap = tap + s.wrap * kLanes, *const end = tap + s.count * kLanes;
  for (; tap < wrap; tap = opaque(tap + kLanes), p += step) add_step<Share, 0, Rows, 0, Columns>(acc, channels, p, x_column, tap);
  if constexpr (Rows == 1) {
    for (p -= back; tap < end; tap = opaque(tap + kLanes), p += step) add_step<Share, 0, Rows, 0, Columns>(acc, channels, p, x_column, tap);
  }
  x += s.taps * step;
  weights += s.taps * kLanes;
  unroll<0, kSome>([&](auto i) __attribute__((always_inline)) {
    if ((s.some & 1U << (i + kSome)) != 0) {
      add_step<Share, i / Share + 1, Rows, 0, Columns>(acc, channels, x + i * step, x_column, weights + i * kLanes);
    }
  });
}

template <class Channels, int Rows, int Columns>
[[gnu::always_inline]] inline void start(F32 (&acc)[Rows][Columns], const float* from) {
  const F32 bias = load(from);
  unroll<0, Rows>([&](auto r) { unroll<0, Columns>([&](auto c) { acc[r][c] = bias; }); });
}

template <int Rows, int Columns>
[[gnu::always_inline]] inline void finish(const F32 (&acc)[Rows][Columns], const DepthwiseWork& w, float* y, std::int64_t y_row,
                                          std::int64_t y_column, int lanes) {
  const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
  unroll<0, Rows>(
      [&](auto r) { unroll<0, Columns>([&](auto c) { store_up_to(y + r * y_row + c * y_column, clip(acc[r][c], lo, hi), lanes); }); });
}

/// The block from output `across` on of the rows of `steps`, where every tap exists; of vectors [v_begin, v_end).
template <class Channels, int Rows, int Columns, int Share>
[[gnu::flatten, gnu::noinline]] inline void inner_block(const BlockPlace<Rows, Share>& place, std::int64_t across, std::int64_t v_begin,
                                                        std::int64_t v_end) {
  const DepthwiseWork& w = *place.work;
  const Axis &d = *place.down, &a = *place.across;
  const std::int64_t taps = d.taps, columns = a.taps, step = d.dilation * d.x, x_tap = a.dilation * a.x, x_column = a.stride * a.x;
  const std::int64_t y_row = d.y, y_column = a.y;
  const float* const x = w.x + (place.steps->slot * d.x + (across * a.stride - a.pad) * a.x);
  float* const y = w.y + (place.steps->output * d.y + across * a.y);
  const float* weights = w.weights + v_begin * columns * taps * kLanes;
  for (std::int64_t v = v_begin; v < v_end; ++v) {
    const Channels channels(w, v);
    F32 acc[Rows][Columns];
    start<Channels>(acc, w.bias + v * kLanes);
    const float* p = x + Channels::offset(w, v);
    for (const float* const end = weights + columns * taps * kLanes; weights < end; weights += taps * kLanes, p += x_tap) {
      add_column<Share, 0, Columns>(acc, channels, p, x_column, weights, taps, step);
    }
    finish(acc, w, y + v * kLanes, y_row, y_column, valid_lanes(w, v));
  }
}

/// The same for filters of several rows whose inputs are shared along the row: all rows of an input column before the next.
template <class Channels, int Columns, int Rows>
[[gnu::flatten, gnu::noinline]] inline void along_block(const BlockPlace<Columns, 1>& place, std::int64_t row, std::int64_t v_begin,
                                                        std::int64_t v_end) {
  const DepthwiseWork& w = *place.work;
  const Axis &a = *place.down, &d = *place.across;
  const std::int64_t w_tap = w.kh * kLanes, all = w.kw * w_tap, x_tap = d.dilation * d.x, x_row = d.stride * d.x, step = a.dilation * a.x;
  const std::int64_t y_row = d.y, y_column = a.y;
  const float* const x = w.x + (place.steps->slot * a.x + (row * d.stride - d.pad) * d.x);
  float* const y = w.y + (place.steps->output * a.y + row * d.y);
  for (std::int64_t v = v_begin; v < v_end; ++v) {
    const Channels channels(w, v);
    F32 acc[Columns][Rows];
    start<Channels>(acc, w.bias + v * kLanes);
    const float *p = x + Channels::offset(w, v), *weights = w.weights + v * all;
    const auto column = [&](auto first, auto last) __attribute__((always_inline)) {
      const float* from = p;
      const float* const end = opaque(weights + w_tap);
      for (; weights < end; weights = opaque(weights + kLanes), from += x_tap) {
        add_step<1, first, last, 0, Rows>(acc, channels, from, x_row, weights, w_tap);
      }
      p += step;
    };
    unroll<0, Columns - 1>([&](auto i) __attribute__((always_inline)) { column(Index<0>{}, Index<i + 1>{}); });
    for (std::int64_t i = w.kw - (Columns - 1); i > 0; --i) column(Index<0>{}, Index<Columns>{});
    unroll<0, Columns - 1>([&](auto i) __attribute__((always_inline)) { column(Index<i + 1>{}, Index<Columns>{}); });
    finish(acc, w, y + v * kLanes, y_column, y_row, valid_lanes(w, v));
  }
}

/// A block at an edge: its outputs in memory, and what they read of one vector of channels.
struct EdgeBlock {
  const float *x, *weights;  ///< at tap 0 of the other axis
  std::int64_t x_tap, x_column, w_tap, back;
  std::int64_t position, size, dilation, stride;
};

/// Taps [begin, end) of the other axis, which meet only some of the outputs: output by output. Compiled once for all widths.
template <class Channels, int Rows, int Share>
[[gnu::flatten, gnu::noinline]] inline void some_outputs(F32* sums, int columns, const Channels& channels, const EdgeBlock& b,
                                                         const Steps<Rows, Share>& s, std::int64_t begin, std::int64_t end) {
  for (std::int64_t k = begin; k < end; ++k) {
    std::int64_t position = b.position + k * b.dilation;
    for (int c = 0; c < columns; ++c, position += b.stride) {
      if (position < 0 || position >= b.size) continue;
      F32 acc[Rows][1];
      unroll<0, Rows>([&](auto r) { acc[r][0] = sums[c * Rows + r]; });
      add_part(acc, channels, b.x + k * b.x_tap + c * b.x_column, b.x_column, b.weights + k * b.w_tap, s, b.back);
      unroll<0, Rows>([&](auto r) { sums[c * Rows + r] = acc[r][0]; });
    }
  }
}

/// Stores outputs of `rows` x `columns`.
[[gnu::noinline]] inline void finish_sums(const F32* sums, int rows, int columns, const DepthwiseWork& w, float* y, std::int64_t y_row,
                                          std::int64_t y_column, int lanes) {
  const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
  for (int c = 0; c < columns; ++c, y += y_column) {
    for (int r = 0; r < rows; ++r) store_up_to(y + r * y_row, clip(*sums++, lo, hi), lanes);
  }
}

/// The same as inner_block, anywhere, or of fewer outputs along the other axis than a block has.
template <class Channels, int Rows, int Columns, int Share>
[[gnu::flatten, gnu::noinline]] inline void edge_block(const BlockPlace<Rows, Share>& place, std::int64_t across, int outputs,
                                                       std::int64_t v_begin, std::int64_t v_end) {
  const DepthwiseWork& w = *place.work;
  const Axis &d = *place.down, &a = *place.across;
  const Steps<Rows, Share>& s = *place.steps;
  const Taps t(a, across, outputs, Columns);
  EdgeBlock b{nullptr, nullptr, a.dilation * a.x, a.stride * a.x, d.taps * kLanes, d.ring * d.x, t.position, a.size, a.dilation, a.stride};
  const float* const x = w.x + (s.slot * d.x + t.position * a.x);
  float* const y = w.y + (s.output * d.y + across * a.y);
  for (std::int64_t v = v_begin; v < v_end; ++v) {
    const Channels channels(w, v);
    b.x = x + Channels::offset(w, v);
    b.weights = w.weights + v * a.taps * b.w_tap;
    F32 sums[Columns * Rows];
    const F32 bias = load(w.bias + v * kLanes);
    for (F32& sum : sums) sum = bias;
    if (t.begin < t.all_begin) some_outputs(sums, outputs, channels, b, s, t.begin, t.all_begin);
    if (t.all_begin < t.all_end) {
      F32 acc[Rows][Columns];
      unroll<0, Rows * Columns>([&](auto i) { acc[i % Rows][i / Rows] = sums[i]; });
      for (std::int64_t k = t.all_begin; k < t.all_end; ++k) {
        add_part(acc, channels, b.x + k * b.x_tap, b.x_column, b.weights + k * b.w_tap, s, b.back);
      }
      unroll<0, Rows * Columns>([&](auto i) { sums[i] = acc[i % Rows][i / Rows]; });
    }
    if (t.all_end < t.end) some_outputs(sums, outputs, channels, b, s, t.all_end, t.end);
    finish_sums(sums, Rows, outputs, w, y + v * kLanes, d.y, a.y, valid_lanes(w, v));
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
