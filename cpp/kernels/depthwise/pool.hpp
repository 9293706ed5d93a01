// Sums over the pixels of depthwise outputs, for squeeze-excite: of each group of rows as soon as it is written, from cache.
//
// A row's pixels are added left to right, one chain for each channel; the caller adds rows top to bottom. So the bits depend neither on
// the tiles nor on how rows and channels were divided.
#pragma once

#include "kernels/depthwise/rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Sums of `Vectors` vectors of channels from v on, of the output row at y; into `sums`, where whole vectors have room.
template <int Vectors>
[[gnu::always_inline]] inline void pool_vectors(const DepthwiseWork& w, const float* y, std::int64_t v, float* sums) {
  F32 acc[Vectors];
  unroll<0, Vectors>([&](auto j) { acc[j] = broadcast(0.0F); });
  const int last = valid_lanes(w, v + Vectors - 1);
  const float* p = y + v * kLanes;
  for (std::int64_t i = 0; i < w.out_width; ++i, p += w.y_pixel) {
    unroll<0, Vectors>([&](auto j) { acc[j] = add(acc[j], j + 1 < Vectors ? load(p + j * kLanes) : load_up_to(p + j * kLanes, last)); });
  }
  unroll<0, Vectors>([&](auto j) { store(sums + (v + j) * kLanes, acc[j]); });
}

/// Adds the residual and applies the activation to rows that are complete, from y_begin + row on, and sums them where sums are wanted.
[[gnu::flatten, gnu::noinline]] inline void finish_rows(const DepthwiseWork& w, std::int64_t row, int rows, std::int64_t v_begin,
                                                        std::int64_t v_end) {
  if (w.finish) finish_pixels(w, row, rows, 0, w.out_width, v_begin, v_end);
  if (w.row_sums == nullptr) return;
  // An addition takes some four cycles and two can begin in each. The last eight may overlap those before.
  constexpr int kVectors = 8;
  for (std::int64_t r = row; r < row + rows; ++r) {
    const float* const y = w.y + r * w.y_row;
    float* const sums = w.row_sums + r * w.row_sums_stride;
    std::int64_t v = v_begin;
    if (v_end - v_begin >= kVectors) {
      for (; v < v_end; v += kVectors) pool_vectors<kVectors>(w, y, v < v_end - kVectors ? v : v_end - kVectors, sums);
    }
    for (; v < v_end; ++v) pool_vectors<1>(w, y, v, sums);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
