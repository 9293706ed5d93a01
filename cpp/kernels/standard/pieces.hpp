// Sums of a panel on their way to y: residual, bounds, and the places of their columns.
#pragma once

#include "kernels/pointwise/gemm.hpp"
#include "kernels/standard_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// `length` adjacent columns of a panel, from `column` on, that are adjacent in y too, `y` floats behind a position's first.
struct Piece {
  std::int64_t column, length, y;
  std::int64_t row, pixel;  ///< of y, counted from the position's first
};

/// The pieces of a panel. A panel may have as many as columns.
struct Pieces {
  Piece at[kMaxPanelVectors * kLanes];
  std::int64_t count = 0;

  /// Those of [panel.column, ...); `by_pixel` parts pixels even where they are adjacent.
  Pieces(const Spread& s, const Panel& panel, bool by_pixel) {
    const std::int64_t run = by_pixel || s.pixel != s.channels ? s.channels : s.pixels * s.channels;
    for (std::int64_t c = 0; c < panel.columns;) {
      const std::int64_t column = panel.column + c, left = run - column % run;
      const std::int64_t row = column / (s.pixels * s.channels), pixel = column / s.channels % s.pixels;
      const std::int64_t length = left < panel.columns - c ? left : panel.columns - c;
      at[count++] = {c, length, row * s.row + pixel * s.pixel + column % s.channels, row, pixel};
      c += length;
    }
  }
};

/// Whether all pixels of positions [begin, end) of an axis lie in y.
inline bool all_pixels_inside(std::int64_t begin, std::int64_t end, std::int64_t stride, std::int64_t first, std::int64_t pixels,
                              std::int64_t size) {
  return begin * stride + first >= 0 && (end - 1) * stride + first + pixels <= size;
}

/// Positions of a row all of whose pixels lie in y; some pixels of others may not.
struct WholePositions {
  std::int64_t begin, end;

  WholePositions(const Spread& s, std::int64_t positions) {
    const auto limited = [&](std::int64_t p) { return p < positions ? p : positions; };
    const std::int64_t room = s.width - s.pixels - s.first_w;
    begin = limited(s.first_w < 0 ? (-s.first_w + s.stride_w - 1) / s.stride_w : 0);
    end = limited(room < 0 ? 0 : room / s.stride_w + 1);
    if (end < begin) end = begin;
  }
};

/// `count` runs of n floats each, from one of every `x_step` to one of every `y_step`. Moves of constant size: with a call and a branch for
/// each run, 2x2 filters with stride 2, 24->1 on 112x112 took 319 us, of which the product is 60 (AMD EPYC, Zen 3, AVX2, 2026-11-29).
inline void copy_runs(const float* x, std::int64_t x_step, float* y, std::int64_t y_step, std::int64_t n, std::int64_t count) {
  constexpr int kMost = 8;
  if (n > kMost) {
    for (std::int64_t i = 0; i < count; ++i, x += x_step, y += y_step) {
      for (std::int64_t at = 0; at < n - kMost; at += kMost) __builtin_memcpy(y + at, x + at, kMost * sizeof(float));
      __builtin_memcpy(y + n - kMost, x + n - kMost, kMost * sizeof(float));
    }
    return;
  }
  unroll<1, kMost + 1>([&](auto same) {
    if (n != same) return;
    for (std::int64_t i = 0; i < count; ++i, x += x_step, y += y_step) __builtin_memcpy(y, x, same * sizeof(float));
  });
}

/// y = clip(sums + residual), of n floats.
[[gnu::always_inline]] inline void store_sums(const float* sums, const float* residual, float* y, std::int64_t n, F32 lo, F32 hi) {
  for (std::int64_t i = 0; i < n; i += kLanes) {
    const int lanes = static_cast<int>(n - i < kLanes ? n - i : kLanes);
    F32 v = load_up_to(sums + i, lanes);
    if (residual != nullptr) v = add(v, load_up_to(residual + i, lanes));
    store_up_to(y + i, clip(v, lo, hi), lanes);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
