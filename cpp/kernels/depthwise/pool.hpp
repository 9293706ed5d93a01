// Sums over the pixels of depthwise outputs, for squeeze-excite: of each group of rows as soon as it is written, from cache.
//
// A row's pixels are added left to right, one chain for each channel; the caller adds rows top to bottom. So the bits depend neither on
// the tiles nor on how rows and channels were divided.
#pragma once

#include "kernels/depthwise/rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Sums of `Vectors` vectors of channels from v on, of `Rows` output rows from y on; into `sums`, where whole vectors have room.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void pool_vectors(const DepthwiseWork& w, const float* y, std::int64_t v, float* sums) {
  F32 acc[Rows][Vectors];
  unroll<0, Rows>([&](auto r) { unroll<0, Vectors>([&](auto j) { acc[r][j] = broadcast(0.0F); }); });
  const int last = valid_lanes(w, v + Vectors - 1);
  const float* p = y + v * kLanes;
  for (std::int64_t i = 0; i < w.out_width; ++i, p += w.y_pixel) {
    unroll<0, Rows>([&](auto r) {
      unroll<0, Vectors>([&](auto j) {
        const float* at = p + r * w.y_row + j * kLanes;
        acc[r][j] = add(acc[r][j], j + 1 < Vectors ? load(at) : load_up_to(at, last));
      });
    });
  }
  unroll<0, Rows>([&](auto r) { unroll<0, Vectors>([&](auto j) { store(sums + r * w.row_sums_stride + (v + j) * kLanes, acc[r][j]); }); });
}

/// Sums of `Rows` finished output rows from row oy on, where they are wanted.
template <int Rows>
[[gnu::flatten, gnu::noinline]] inline void pool_rows(const DepthwiseWork& w, std::int64_t oy, std::int64_t v_begin, std::int64_t v_end) {
  if (w.row_sums == nullptr) return;
  const float* const y = w.y + (oy - w.y_begin) * w.y_row;
  // An addition takes some four cycles and two can begin in each: rows are chains of their own, and where there are few, vectors are.
  constexpr int kVectors = Rows < 4 ? 4 : 2;
  float* sums = w.row_sums + (oy - w.y_begin) * w.row_sums_stride;
  std::int64_t v = v_begin;
  for (; v + kVectors <= v_end; v += kVectors) pool_vectors<Rows, kVectors>(w, y, v, sums);
  for (; v < v_end; ++v) pool_vectors<Rows, 1>(w, y, v, sums);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
