// The int8 depthwise convolution of few, uneven channels: rows of x, pixel after pixel, as runs of bytes, so that vectors have no gaps.
// Rows are copied with their padding; quads are interleaved for each column of the filter, in registers, or, without dot products and with
// 16 registers, for each four taps of any filter.
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
        unroll<0, kFlatRows>([&](auto r) __attribute__((always_inline)) {
          unroll<0, G>([&](auto v) __attribute__((always_inline)) { acc[r][v] = in_place(acc[r][v]); });
        });
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

/// A row of y of any filter.
struct TapRow {
  const std::int8_t* x[kMostFlatTaps + 3];  ///< what its taps read, four to a quad
};
/// N vectors of bytes, of the same weights.
template <class Dot, int N>
[[gnu::flatten, gnu::noinline]] void tap_vectors(const FlatRows& t, const TapRow& taps,
                                                 const PanelStore<std::int8_t, 4, Order::packed>& panel, std::int64_t at,
                                                 std::int64_t phase) {
  const std::int64_t apart = t.period * I8::kLanes;
  typename Dot::Sums acc[N][4];
  unroll<0, 4>([&](auto v) __attribute__((always_inline)) {
    acc[0][v] = Dot::start(load(t.initial + phase * kQuadChannels + v * kLanes));
    if constexpr (N == 2) acc[1][v] = acc[0][v];
  });
  const std::int8_t *weights = t.weights + phase * t.weight_bytes, *const end = weights + t.weight_bytes;
  const std::int8_t* const* x = taps.x;
  for (; weights < end; x += 4, weights += 8 * I8::kLanes) {
    I8 v[N][4];
    unroll<0, N>([&](auto n) __attribute__((always_inline)) {
      I8 rows[4];
      unroll<0, 4>([&](auto i) __attribute__((always_inline)) { rows[i] = in_register(load(x[i] + at + n * apart)); });
      interleave_rows(rows, v[n]);
    });
    unroll<0, 4>([&](auto i) __attribute__((always_inline)) {
      const auto w = Dot::load_once(weights + 2 * i * I8::kLanes);
      unroll<0, N>([&](auto n) __attribute__((always_inline)) { acc[n][i] = Dot::add(acc[n][i], v[n][i], w); });
    });
  }
  unroll<0, N>([&](auto n) __attribute__((always_inline)) {
    RealSums<4> real;
    unroll<0, 4>([&](auto v) __attribute__((always_inline)) { real.set(v, Dot::finish(acc[n][v]), t.multiplier + phase * kQuadChannels); });
    const I8 stored = panel.lean(panel.lean_half(real.v[0], real.v[1], 0), panel.lean_half(real.v[2], real.v[3], 2));
    const std::int64_t to = at + n * apart, left = t.bytes - to;
    store_up_to(t.y + to, stored, left < I8::kLanes ? static_cast<int>(left) : I8::kLanes);
  });
}
template <class Dot>
void tap_row(const FlatRows& t, const TapRow& taps, const PanelStore<std::int8_t, 4, Order::packed>& panel) {
  const std::int64_t apart = t.period * I8::kLanes;
  for (std::int64_t begin = 0; begin < t.bytes; begin += 2 * apart) {
    for (std::int64_t phase = 0, at = begin; phase < t.period && at < t.bytes; ++phase, at += I8::kLanes) {
      (at + apart < t.bytes ? tap_vectors<Dot, 2> : tap_vectors<Dot, 1>)(t, taps, panel, at, phase);
    }
  }
}

/// Copies n bytes, xored with flip; whole vectors are written.
inline void copy_flipped(std::int8_t* to, const std::int8_t* from, std::int64_t n, I8 flip) {
  for (; n > 0; n -= I8::kLanes, to += I8::kLanes, from += I8::kLanes) {
    store(to, bit_xor(load_up_to(from, n < I8::kLanes ? static_cast<int>(n) : I8::kLanes), flip));
  }
}

/// Copies pixels of x that are next to each other in a row of y, from column `x` on; those in the padding are `zeros`. Up to 31 bytes more
/// are written.
inline void copy_pixels(const Int8DepthwiseWork& w, const std::int8_t* row, const std::int8_t* zeros, std::int64_t x, std::int64_t count,
                        I8 flip, std::int8_t* to) {
  const std::int64_t n = w.channels, step = w.stride_w * w.x_pixel;
  const std::int8_t* from = row + x * w.x_pixel;
  // The last pixel of which whole vectors may be read.
  const std::int64_t safe = w.x_pixel == n && n <= 2 * I8::kLanes ? w.width - 1 - 63 / n : -1;
  for (; count > 0;) {
    for (; count > 0 && x >= 0 && x < safe; --count, x += w.stride_w, from += step, to += n) {
      store(to, bit_xor(load(from), flip));
      if (n > I8::kLanes) store(to + I8::kLanes, bit_xor(load(from + I8::kLanes), flip));
    }
    if (count-- == 0) return;
    if (x >= 0 && x < w.width) {
      copy_flipped(to, from, n, flip);
    } else {
      __builtin_memcpy(to, zeros, static_cast<std::size_t>(n));
    }
    x += w.stride_w;
    from += step;
    to += n;
  }
}

/// Whether rows of y and what they read are such runs: computes them.
[[gnu::noinline]] inline bool flat_depthwise(const Int8DepthwiseWork& w, const QuadFilter& f, std::int64_t panels, const FlatPeriods& flat,
                                             const PanelStore<std::int8_t, 4, Order::packed>& store) {
  const bool taps = kLean16 && flat.taps > 0;
  const std::int64_t reach = (w.kh - 1) * w.dilation_h + 1, span = (w.kw - 1) * w.dilation_w, stride = w.stride_w,
                     phases = stride < span + 1 ? stride : span + 1;
  const std::int64_t columns = w.out_width + span / stride, phase_bytes = columns * w.channels, bytes = phases * phase_bytes,
                     step = (bytes / 64 + 1) * 64, room = kFlatBytes / step - 1;  // rows of x, as one is padding
  if (w.panel_begin > 0 || w.panel_end < panels || w.y_pixel != w.channels || (!taps && (stride != 1 || w.dilation_w != 1)) ||
      room < reach + (taps ? 0 : kFlatRows - 1)) {
    return false;
  }
  const std::int64_t most = (room - reach) / w.stride_h + 1, at_a_time = taps ? most : most / kFlatRows * kFlatRows;
  alignas(64) std::int8_t copies[kFlatBytes + kQuadChannels];
  const std::int8_t* row[kFlatBytes / 64 + kFlatRows + 2];
  const I8 flip = broadcast(static_cast<std::int8_t>(w.x_flip ^ Dot::kFlip));
  // Whole vectors of x without padding are read where they lie: one pixel of 21 taps of 64 channels 0.30 -> 0.16 us.
  const bool lie = taps && stride == 1 && w.pad_left == 0 && columns <= w.width && w.x_pixel == w.channels && w.x_flip == Dot::kFlip &&
                   w.out_width * w.channels % I8::kLanes == 0;
  if (!lie || w.y_begin * w.stride_h < w.pad_top || (w.y_end - 1) * w.stride_h - w.pad_top + reach > w.height) {
    copy_flipped(copies, w.x_zero, w.channels, flip);
    for (std::int64_t done = w.channels; done < bytes; done *= 2) {
      __builtin_memcpy(copies + done, copies, static_cast<std::size_t>(bytes - done < done ? bytes - done : done));
    }
  }
  const std::int64_t left = w.pad_left < columns ? w.pad_left : columns, inside = columns - left < w.width ? columns - left : w.width;
  FlatRows t;  // zeroing it took a tenth of a call for one pixel
  TapRow tap_rows;
  t.y = static_cast<std::int8_t*>(w.y);
  t.y_row = w.y_row;
  t.bytes = w.out_width * w.channels;
  t.channels = w.channels;
  t.steps = w.kw;
  t.period = flat.any();
  t.weight_bytes = taps ? flat_tap_bytes(w.kh, w.kw) : window_weight_bytes(f);
  const std::int64_t before = panels_are_flat(f, w.channels) ? 0 : panels;
  t.weights = static_cast<const std::int8_t*>(w.weights) + before * window_weight_bytes(f);
  t.initial = w.initial + before * kQuadChannels;
  t.multiplier = w.q.multiplier + before * kQuadChannels;
  for (std::int64_t y = w.y_begin; y < w.y_end;) {
    const std::int64_t count = w.y_end - y < at_a_time ? w.y_end - y : at_a_time, reads = (count - 1) * w.stride_h + reach;
    for (std::int64_t i = 0; i < reads + kFlatRows + 2; ++i) {
      const std::int64_t from = y * w.stride_h - w.pad_top + i;
      row[i] = copies;
      if (i >= reads || from < 0 || from >= w.height) continue;
      std::int8_t* const to = copies + (i + 1) * step;
      row[i] = to;
      const std::int8_t* const x = w.x + from * w.x_row;
      if (lie) {
        row[i] = x;
        continue;
      }
      if (stride > 1 || w.pad_left < 0 || w.x_pixel != w.channels) {
        for (std::int64_t p = 0; p < phases; ++p) copy_pixels(w, x, copies, p - w.pad_left, columns, flip, to + p * phase_bytes);
        continue;
      }
      __builtin_memcpy(to, copies, static_cast<std::size_t>(left * w.channels));
      copy_flipped(to + left * w.channels, x, w.channels * inside, flip);
      const std::int64_t end = (left + inside) * w.channels;
      __builtin_memcpy(to + end, copies, static_cast<std::size_t>(bytes - end));
    }
    if (taps) {
      for (std::int64_t i = 0; i < count; ++i, t.y += t.y_row) {
        const std::int8_t** at = tap_rows.x;
        for (std::int64_t ky = 0; ky < w.kh; ++ky) {
          const std::int8_t* const first = row[i * w.stride_h + ky * w.dilation_h];
          for (std::int64_t kx = 0, phase = 0, offset = 0; kx < w.kw; ++kx) {  // a division each took as long as its products
            *at++ = first + offset;
            offset += w.dilation_w * phase_bytes;
            for (phase += w.dilation_w; phase >= stride; phase -= stride) offset += w.channels - stride * phase_bytes;
          }
        }
        while ((at - tap_rows.x) % 4 != 0) *at++ = tap_rows.x[0];
        if constexpr (kLean16) tap_row<Dot>(t, tap_rows, store);
      }
    } else {
      for (std::int64_t i = 0; i < count; i += kFlatRows, t.y += kFlatRows * t.y_row) {
        for (int r = 0; r < kFlatRows + 2; ++r) t.x[r] = row[i + r];
        t.down = static_cast<int>(count - i < kFlatRows ? count - i : kFlatRows);
        flat_rows(t, store);
      }
    }
    y += count;
  }
  return true;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
