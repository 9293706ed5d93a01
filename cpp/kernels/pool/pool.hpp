// Maximum and average over windows. Taps that fall in the padding are skipped. An average adds the taps of a row left to right and then
// rows top to bottom: over a whole image it gives the bits of two reductions.
#pragma once

#include "kernels/pool/taps.hpp"
#include "kernels/tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <bool Max, int Vectors>
[[gnu::always_inline]] inline void window_vectors(const float* x, std::int64_t row, std::int64_t pixel, std::int64_t rows,
                                                  std::int64_t columns, float divisor, float* y, int last) {
  F32 acc[Vectors];
  unroll<0, Vectors>([&](auto j) { acc[j] = broadcast(Max ? -__builtin_inff() : 0.0F); });
  for (std::int64_t r = 0; r < rows; ++r, x += row) {
    F32 sum[Vectors];
    unroll<0, Vectors>([&](auto j) { sum[j] = Max ? acc[j] : broadcast(0.0F); });
    const float* p = x;
    for (std::int64_t c = 0; c < columns; ++c, p += pixel) {
      unroll<0, Vectors>([&](auto j) {
        const F32 v = j + 1 < Vectors ? load(p + j * kLanes) : load_up_to(p + j * kLanes, last);
        sum[j] = Max ? maximum(sum[j], v) : add(sum[j], v);
      });
    }
    unroll<0, Vectors>([&](auto j) { acc[j] = Max ? sum[j] : add(acc[j], sum[j]); });
  }
  unroll<0, Vectors>([&](auto j) {
    const F32 v = Max ? acc[j] : div(acc[j], broadcast(divisor));
    store_up_to(y + j * kLanes, v, j + 1 < Vectors ? kLanes : last);
  });
}

template <bool Max>
[[gnu::always_inline]] inline void window_rows(const PoolWork& w) {
  // Windows next to each other that lie inside are one of as many channels: 5x5 of 224x224x3 takes
  // 137 to 176 us for 1,300 (AMD EPYC, Zen 3, AVX2, 2026-11-29).
  const bool joins = w.stride_w == 1 && w.x_pixel == w.channels && w.y_pixel == w.channels;
  const std::int64_t beyond = w.width - (w.kw - 1) * w.dilation_w + w.pad_left;
  const std::int64_t whole = joins ? (beyond < w.out_width ? beyond : w.out_width) : 0;
  for (std::int64_t oy = w.y_begin; oy < w.y_end; ++oy) {
    const PoolTaps rows(oy * w.stride_h - w.pad_top, w.kh, w.dilation_h, w.height);
    for (std::int64_t ox = 0; ox < w.out_width;) {
      const std::int64_t pixels = ox >= w.pad_left && ox < whole ? whole - ox : 1, channels = pixels * w.channels;
      const PoolTaps columns(ox * w.stride_w - w.pad_left, w.kw, w.dilation_w, w.width);
      const std::int64_t inside = rows.count * columns.count, count = w.include_padding ? w.kh * w.kw : inside;
      const float* x = w.x + (inside == 0 ? 0 : rows.first * w.x_row + columns.first * w.x_pixel);
      float* y = w.y + oy * w.y_row + ox * w.y_pixel;
      const std::int64_t row = w.dilation_h * w.x_row, pixel = w.dilation_w * w.x_pixel;
      const auto divisor = static_cast<float>(count > 0 ? count : 1);
      const auto vectors = [&](auto count_of, std::int64_t c) {
        const std::int64_t left = channels - c - (count_of - 1) * kLanes;
        const int last = left < kLanes ? static_cast<int>(left) : kLanes;
        window_vectors<Max, count_of.value>(x + c, row, pixel, rows.count, columns.count, divisor, y + c, last);
      };
      std::int64_t c = 0;
      for (; channels - c > 3 * kLanes; c += 4 * kLanes) vectors(Index<4>{}, c);
      if (channels - c > 2 * kLanes) {
        vectors(Index<3>{}, c);
      } else if (channels - c > kLanes) {
        vectors(Index<2>{}, c);
      } else if (channels > c) {
        vectors(Index<1>{}, c);
      }
      ox += pixels;
    }
  }
}

[[gnu::flatten]] inline void pool(const PoolWork& w) { w.max ? window_rows<true>(w) : window_rows<false>(w); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
