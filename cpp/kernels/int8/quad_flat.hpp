// The int8 depthwise convolution of few, uneven channels: rows of x, pixel after pixel, as runs of bytes, so that vectors have no gaps.
// Rows are copied with their padding; quads are interleaved for each column of the filter, in registers.
#pragma once

#include "kernels/int8/quad_requantize.hpp"
#include "kernels/int8/quad_rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kFlatBytes = 32 * 1024;      ///< of copied rows, on the stack
constexpr int kFlatRows = kRegisters < 32 ? 2 : 4;  ///< of y at a time

/// Rows of y, of which `down` exist.
struct FlatRows {
  const std::int8_t* x[kFlatRows + 2];
  std::int8_t* y;
  std::int64_t y_row, bytes;  ///< of y
  std::int64_t channels, steps, period, weight_bytes;
  const std::int8_t* weights;  ///< of the first of `period` vectors, as are the initial sums and multipliers
  const std::int32_t* initial;
  const float* multiplier;
  int down;
};

[[gnu::flatten, gnu::noinline]] inline void flat_rows(const FlatRows& t, const PanelStore<std::int8_t, 4, Order::packed>& panel) {
  constexpr std::int64_t kBytes = Dot::kWeightVectors * I8::kLanes;
  constexpr int G = kRegisters < 32 && !kLean16 ? 2 : 4;
  std::int64_t phase = 0;
  for (std::int64_t at = 0; at < t.bytes; at += I8::kLanes) {
    const std::int8_t* weights = t.weights + phase * t.weight_bytes;
    const std::int32_t* const initial = t.initial + phase * kQuadChannels;
    const float* const multiplier = t.multiplier + phase * kQuadChannels;
    I16 half[kFlatRows][2];
    unroll<0, 4 / G>([&](auto g) __attribute__((always_inline)) {
      typename Dot::Sums acc[kFlatRows][G];
      unroll<0, G>([&](auto v) __attribute__((always_inline)) {
        const auto start = Dot::start(load(initial + (g * G + v) * kLanes));
        unroll<0, kFlatRows>([&](auto r) __attribute__((always_inline)) { acc[r][v] = start; });
        if constexpr (kLean16) acc[0][v] = load(reinterpret_cast<const std::int32_t*>(weights) + v * kLanes);
      });
      if constexpr (kLean16) weights += SharedWeights::kInitial;
      std::int64_t from = at;
      for (std::int64_t step = 0; step < t.steps; ++step, from += t.channels) {
        if constexpr (kLean16) {
          I8 rows[4], quads[4];
          unroll<0, 4>([&](auto r) __attribute__((always_inline)) { rows[r] = in_register(load(t.x[r] + from)); });
          interleave_rows(rows, quads);
          unroll<0, 4>([&](auto v) __attribute__((always_inline)) {
            SharedWeights::at(weights + v * SharedWeights::kStep).add(acc[0][v], acc[1][v], quads[v]);
          });
          weights += 4 * SharedWeights::kStep;
          continue;
        }
        unroll<0, G / 2>([&](auto h) __attribute__((always_inline)) {
          I16 pair[kFlatRows / 2 + 1];
          unroll<0, kFlatRows / 2 + 1>([&](auto p) __attribute__((always_inline)) {
            const I8 a = load(t.x[2 * p] + from), b = load(t.x[2 * p + 1] + from);
            pair[p] = reinterpret<std::int16_t>(g * G + 2 * h >= 2 ? lane_unpack_upper(a, b) : lane_unpack_lower(a, b));
          });
          unroll<0, 2>([&](auto v) __attribute__((always_inline)) {
            const auto even = Dot::load(weights + (4 * h + 2 * v) * kBytes), odd = Dot::load(weights + (4 * h + 2 * v + 1) * kBytes);
            unroll<0, kFlatRows / 2>([&](auto p) __attribute__((always_inline)) {
              const I16 quads = v == 0 ? lane_unpack_lower(pair[p], pair[p + 1]) : lane_unpack_upper(pair[p], pair[p + 1]);
              const I8 x = reinterpret<std::int8_t>(quads);
              acc[2 * p][2 * h + v] = Dot::add(acc[2 * p][2 * h + v], x, even);
              acc[2 * p + 1][2 * h + v] = Dot::add(acc[2 * p + 1][2 * h + v], x, odd);
            });
          });
        });
        weights += 2 * G * kBytes;
      }
      unroll<0, kFlatRows>([&](auto r) __attribute__((always_inline)) {
        const auto real = [&](auto v) __attribute__((always_inline)) {
          return mul(to_float(Dot::finish(acc[r][v])), load(multiplier + (g * G + v) * kLanes));
        };
        unroll<0, G / 2>([&](auto h) __attribute__((always_inline)) {
          half[r][g * G / 2 + h] = panel.lean_half(real(Index<2 * h>{}), real(Index<2 * h + 1>{}), g * G + 2 * h);
        });
      });
    });
    const std::int64_t left = t.bytes - at;
    const int n = left < I8::kLanes ? static_cast<int>(left) : I8::kLanes;
    unroll<0, kFlatRows>([&](auto r) __attribute__((always_inline)) {
      if (r < t.down) store_up_to(t.y + r * t.y_row + at, panel.lean(half[r][0], half[r][1]), n);
    });
    if (++phase == t.period) phase = 0;
  }
}

/// Copies n bytes, xored with flip; whole vectors are written.
inline void copy_flipped(std::int8_t* to, const std::int8_t* from, std::int64_t n, I8 flip) {
  for (; n > 0; n -= I8::kLanes, to += I8::kLanes, from += I8::kLanes) {
    store(to, bit_xor(load_up_to(from, n < I8::kLanes ? static_cast<int>(n) : I8::kLanes), flip));
  }
}

/// Whether rows of y and what they read are such runs: computes them.
[[gnu::noinline]] inline bool flat_depthwise(const Int8DepthwiseWork& w, const QuadFilter& f, std::int64_t panels, std::int64_t period,
                                             const PanelStore<std::int8_t, 4, Order::packed>& store) {
  const std::int64_t columns = w.out_width + w.kw - 1, bytes = columns * w.channels, step = (bytes / 64 + 1) * 64;
  const std::int64_t room = kFlatBytes / step - w.kh;  // rows of y, as one is padding
  if (w.panel_begin > 0 || w.panel_end < panels || w.y_pixel != w.channels || w.stride_w != 1 || w.dilation_w != 1 || room < kFlatRows)
    return false;
  alignas(64) std::int8_t copies[kFlatBytes + kQuadChannels];
  const std::int8_t* row[kFlatBytes / 64 + kFlatRows + 2];
  const I8 flip = broadcast(static_cast<std::int8_t>(w.x_flip ^ Dot::kFlip));
  copy_flipped(copies, w.x_zero, w.channels, flip);
  for (std::int64_t done = w.channels; done < bytes; done *= 2) {
    __builtin_memcpy(copies + done, copies, static_cast<std::size_t>(bytes - done < done ? bytes - done : done));
  }
  const std::int64_t left = w.pad_left < columns ? w.pad_left : columns, inside = columns - left < w.width ? columns - left : w.width;
  FlatRows t{};
  t.y = static_cast<std::int8_t*>(w.y);
  t.y_row = w.y_row;
  t.bytes = w.out_width * w.channels;
  t.channels = w.channels;
  t.steps = w.kw;
  t.period = period;
  t.weight_bytes = window_weight_bytes(f);
  t.weights = static_cast<const std::int8_t*>(w.weights) + panels * t.weight_bytes;
  t.initial = w.initial + panels * kQuadChannels;
  t.multiplier = w.q.multiplier + panels * kQuadChannels;
  for (std::int64_t y = w.y_begin; y < w.y_end;) {
    const std::int64_t count = w.y_end - y < room ? w.y_end - y : room / kFlatRows * kFlatRows, reads = count + w.kh - 1;
    for (std::int64_t i = 0; i < reads + kFlatRows + 2; ++i) {
      const std::int64_t from = y - w.pad_top + i;
      row[i] = copies;
      if (i >= reads || from < 0 || from >= w.height) continue;
      std::int8_t* const to = copies + (i + 1) * step;
      row[i] = to;
      __builtin_memcpy(to, copies, static_cast<std::size_t>(left * w.channels));
      const std::int8_t* const x = w.x + from * w.x_row;
      const bool run = w.x_pixel == w.channels;
      for (std::int64_t p = 0; p < (run ? 1 : inside); ++p) {
        copy_flipped(to + (left + p) * w.channels, x + p * w.x_pixel, w.channels * (run ? inside : 1), flip);
      }
      const std::int64_t end = (left + inside) * w.channels;
      __builtin_memcpy(to + end, copies, static_cast<std::size_t>(bytes - end));
    }
    for (std::int64_t i = 0; i < count; i += kFlatRows, t.y += kFlatRows * t.y_row) {
      for (int r = 0; r < kFlatRows + 2; ++r) t.x[r] = row[i + r];
      t.down = static_cast<int>(count - i < kFlatRows ? count - i : kFlatRows);
      flat_rows(t, store);
    }
    y += count;
  }
  return true;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
