// Transposition in square blocks of registers; images of two to four channels in runs of pixels.
#pragma once

#include "kernels/tensor_work.hpp"
#include "simd/square.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// A block at the lower or right edge, of which `rows` x `columns` exist.
[[gnu::always_inline]] inline void transpose_part(const float* x, std::int64_t x_row, float* y, std::int64_t y_row, int rows, int columns) {
  F32 v[kLanes];
  unroll<0, kLanes>([&](auto i) { v[i] = i < rows ? load_up_to(x + i * x_row, columns) : broadcast(0.0F); });
  transpose_lanes(v);
  unroll<0, kLanes>([&](auto i) {
    if (i < columns) store_up_to(y + i * y_row, v[i], rows);
  });
}

[[gnu::always_inline]] inline void transpose_square(const float* x, std::int64_t x_row, float* y, std::int64_t y_row) {
  F32 v[kLanes];
  unroll<0, kLanes>([&](auto i) { v[i] = load(x + i * x_row); });
  transpose_lanes(v);
  unroll<0, kLanes>([&](auto i) { store(y + i * y_row, v[i]); });
}

/// N planes to pixels of N channels, and back. The compiler knows the shuffles for each instruction set.
template <int N, class Work>
[[gnu::always_inline]] inline void interleave(const Work& w) {
  decltype(w.x) x[N];
  for (int r = 0; r < N; ++r) x[r] = w.x + r * w.x_row;
  auto* __restrict y = w.y;
  const std::int64_t columns = w.columns;  // bytes that are stored could be its own
  for (std::int64_t i = 0; i < columns; ++i) {
    for (int r = 0; r < N; ++r) y[i * N + r] = x[r][i];
  }
}

template <int N>
[[gnu::always_inline]] inline void separate(const TransposeWork& w) {
  float* y[N];
  for (int c = 0; c < N; ++c) y[c] = w.y + c * w.y_row;
  const float* __restrict x = w.x;
  for (std::int64_t i = 0; i < w.rows; ++i) {
    for (int c = 0; c < N; ++c) y[c][i] = x[i * N + c];
  }
}

/// 3x224x224 takes 10 us on AVX2; byte by byte on plain x86-64 40.
[[gnu::flatten]] inline void interleave_bytes(const BytePlanesWork& w) {
  if (w.rows == 2) return interleave<2>(w);
  if (w.rows == 3) return interleave<3>(w);
  interleave<4>(w);
}

/// The side whose lines lie far apart is taken in blocks of eight lines of each, in the order of addresses. us before / so (AMD EPYC, Zen
/// 3, AVX2, 2026-11-29, least times in turns, from and to the level-3 cache, and from and to memory): 3136 pixels of 256 channels to planes
/// 216 / 189, 990 / 866; 12544 of 32 67 / 54; 6400 of 128 from planes 192 / 193, 1,209 / 990; 50176 of 64 4,126 / 2,983, 6,705 / 4,247.
/// Pixels of 256 channels or more share too few sets of the level-1 cache.
[[gnu::always_inline]] inline void transpose_squares(const TransposeWork& w) {
  const bool far_out = w.y_row > w.x_row;
  constexpr bool kBlocks = kLanes <= 8;  // AVX-512 was not timed
  const std::int64_t side = far_out ? (kBlocks ? 128 : w.rows) : (kBlocks && w.y_row < 256 ? 128 : kLanes);
  const std::int64_t far_size = far_out ? w.rows : w.columns, near_size = far_out ? w.columns : w.rows;
  for (std::int64_t first = 0; first < far_size; first += side) {
    const std::int64_t end = far_size - first < side ? far_size : first + side;
    for (std::int64_t n = 0; n < near_size; n += kLanes) {
      for (std::int64_t f = first; f < end; f += kLanes) {
        const std::int64_t r = far_out ? f : n, c = far_out ? n : f;
        const int rows = w.rows - r < kLanes ? static_cast<int>(w.rows - r) : kLanes;
        const int columns = w.columns - c < kLanes ? static_cast<int>(w.columns - c) : kLanes;
        const float* x = w.x + r * w.x_row + c;
        float* y = w.y + c * w.y_row + r;
        if (rows == kLanes && columns == kLanes) {
          transpose_square(x, w.x_row, y, w.y_row);
        } else {
          transpose_part(x, w.x_row, y, w.y_row, rows, columns);
        }
      }
    }
  }
}

[[gnu::flatten]] inline void transpose(const TransposeWork& w) {
  const bool pixels_out = w.y_row == w.rows, pixels_in = w.x_row == w.columns;
  if (pixels_out && w.rows == 2) return interleave<2>(w);
  if (pixels_out && w.rows == 3) return interleave<3>(w);
  if (pixels_out && w.rows == 4) return interleave<4>(w);
  if (pixels_in && w.columns == 2) return separate<2>(w);
  if (pixels_in && w.columns == 3) return separate<3>(w);
  if (pixels_in && w.columns == 4) return separate<4>(w);
  transpose_squares(w);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
