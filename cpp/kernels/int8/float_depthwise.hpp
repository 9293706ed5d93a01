// The int8 depthwise convolution by way of floats, without dot products and with 16 registers: x less its zero points becomes floats, a
// part that fits the stack at a time, which the kernels of float32 convolve. They leave the padding out, which quads multiply, and their
// sums are exact while none can reach 2^24.
#pragma once

#include <cstddef>

#include "kernels/conv_work.hpp"
#include "kernels/int8/quad_filter.hpp"
#include "kernels/int8/quad_requantize.hpp"
#include "kernels/registry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

// Compiled in units of their own.
extern const KernelList unit_depthwise_3x3, unit_depthwise_5x5_s1, unit_depthwise_5x5_s2, unit_depthwise_7x7_s1, unit_depthwise_7x7_s2,
    unit_depthwise_generic;

namespace int8 {

constexpr float kExactSums = 16777216.0F;        ///< below which every integer is a float, and a sum of two the integer
constexpr std::int64_t kFloatBlock = 16 * 1024;  ///< floats of x and y on the stack
constexpr std::int64_t kFloatPart = 7 * 1024;    ///< of them, if several panels are computed at a time: they stay in the level-1 cache
constexpr std::int64_t kMostPattern = 1024;      ///< multipliers of pixels one after the other, until a panel begins with one

/// What is packed in front of the quads, in floats.
struct FloatFilter {
  std::int64_t vectors, bias, multipliers, weights, end;

  constexpr FloatFilter(std::int64_t taps, std::int64_t columns)
      : vectors((columns + kLanes - 1) / kLanes),
        bias(2 * kLanes),  // behind whether sums are exact, and zero points alike
        multipliers(bias + vectors * kLanes),
        weights(multipliers + (vectors + 4) * kLanes),  // a panel is read of the last vector
        end((weights + vectors * taps * kLanes + kLanes) / (2 * kLanes) * (2 * kLanes)) {}
};

[[gnu::noinline, gnu::cold]] inline void pack_floats(const Int8PackWork& w, float* out) {
  const FloatFilter f(w.kh * w.kw, w.columns);
  bool exact = true;
  float* weights = out + f.weights;
  __builtin_memset(out, 0, static_cast<std::size_t>(f.end) * sizeof(float));
  for (std::int64_t first = 0; first < w.columns; first += kLanes) {
    const std::int64_t left = w.columns - first, n = left < kLanes ? left : kLanes;
    F32 magnitude = broadcast(0.0F);
    for (std::int64_t kx = 0; kx < w.kw; ++kx) {
      for (std::int64_t ky = 0; ky < w.kh; ++ky, weights += kLanes) {
        std::int8_t row[kLanes] = {};
        __builtin_memcpy(row, w.weights + (ky * w.kw + kx) * w.weights_row + first, static_cast<std::size_t>(n));
        const F32 real = to_float(load_as<std::int32_t>(row));
        store(weights, real);
        magnitude = add(magnitude, max_or_second(real, sub(broadcast(0.0F), real)));
      }
    }
    float sums[kLanes];
    store(sums, magnitude);
    for (std::int64_t c = first; c < first + n; ++c) {
      const auto bias = static_cast<float>(w.bias[c]);
      out[f.bias + c] = bias;
      out[f.multipliers + c] = w.multipliers[c];
      exact =
          exact && sums[c - first] * 255.0F + (bias < 0 ? -bias : bias) < kExactSums && w.x_zeros[c / w.channel_multiplier] == w.x_zeros[0];
    }
  }
  *out = exact ? 1.0F : 0.0F;
}

/// The kernel of float32 for an undilated filter.
inline void (*float_kernel(const Int8DepthwiseWork& w))(const void*) {
  const KernelList* const lists[] = {&unit_depthwise_3x3,    &unit_depthwise_5x5_s1, &unit_depthwise_5x5_s2,
                                     &unit_depthwise_7x7_s1, &unit_depthwise_7x7_s2, &unit_depthwise_generic};
  for (const KernelList* list : lists) {
    for (int i = 0; i < list->count; ++i) {
      const Problem& p = list->entries[i].takes;
      if (p.kh == 0 || (p.kh == w.kh && p.kw == w.kw && p.stride_h == w.stride_h && p.stride_w == w.stride_w && w.multiplier == 1)) {
        return list->entries[i].run;
      }
    }
  }
  return nullptr;
}

/// How much is computed at a time.
struct FloatBlock {
  std::int64_t channels, inputs, rows;  ///< of y; inputs are its channels, or all with a multiplier

  explicit FloatBlock(const Int8DepthwiseWork& w) : channels((w.panel_end - w.panel_begin) * kQuadChannels), rows(w.y_end - w.y_begin) {
    const std::int64_t left = w.channels - w.panel_begin * kQuadChannels;
    if (left < channels) channels = left;
    inputs = w.channels / w.multiplier;
    if (w.multiplier == 1) {
      const std::int64_t fit = kFloatPart / (floats(w, 1, 1) * kQuadChannels), most = (fit > 1 ? fit : 1) * kQuadChannels;
      if (most < channels) channels = most;
      inputs = channels;
    }
    while (rows > 0 && floats(w, padded(inputs), padded(channels)) > kFloatBlock) rows /= 2;
  }
  static std::int64_t padded(std::int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

 private:
  /// Of so many channels of x and y.
  std::int64_t floats(const Int8DepthwiseWork& w, std::int64_t x, std::int64_t y) const {
    const std::int64_t reach = (rows - 1) * w.stride_h + w.kh;
    return (reach < w.height ? reach : w.height) * w.width * x + rows * w.out_width * y;
  }
};

/// `count` pixels of n bytes less their zero point; up to 7 more floats are written of each.
[[gnu::noinline]] inline void floats_of(const std::int8_t* x, std::int64_t x_pixel, std::int64_t count, std::int64_t n, I32 flip, I32 zero,
                                        float* to, std::int64_t pixel) {
  const auto real = [&](const std::int8_t* from, float* y) __attribute__((always_inline)) {
    store(y, to_float(sub(bit_xor(load_as<std::int32_t>(from), flip), zero)));
  };
  const std::int64_t whole = n & -kLanes, fours = n & -4 * kLanes;
  for (; count > 0; --count, x += x_pixel, to += pixel) {
    const std::int8_t *from = x, *const until = x + fours, *const end = x + whole;
    float* y = to;
    for (; from < until; from += 4 * kLanes, y += 4 * kLanes) {
      unroll<0, 4>([&](auto j) __attribute__((always_inline)) { real(from + j * kLanes, y + j * kLanes); });
    }
    for (; from < end; from += kLanes, y += kLanes) real(from, y);
    if (whole < n) {
      std::int8_t part[kLanes];
      __builtin_memcpy(part, from, static_cast<std::size_t>(n - whole));
      real(part, y);
    }
  }
}

/// `count` pixels of n sums as bytes. Multipliers begin anew after `period`.
[[gnu::noinline]] inline void bytes_of(const float* sums, std::int64_t pixel, std::int64_t count, std::int64_t n, const float* multipliers,
                                       std::int64_t period, const PanelStore<std::int8_t, 4, Order::packed>& panel, std::int8_t* y,
                                       std::int64_t y_pixel) {
  const I16 zero = load(panel.bounds.zero);
  const I8 least = load(panel.bounds.least), greatest = load(panel.bounds.greatest), flip = broadcast(static_cast<std::int8_t>(panel.flip));
  const float* const last = multipliers + period;
  const std::int64_t whole = n & -kQuadChannels;
  for (; count > 0; --count, sums += pixel, y += y_pixel) {
    const float* m = multipliers;
    const auto next = [&](std::int64_t c) __attribute__((always_inline)) {
      const auto half = [&](auto j) __attribute__((always_inline)) {
        const auto rounded = [&](auto k) __attribute__((always_inline)) {
          return to_int32(mul(load(sums + c + k * kLanes), load(m + k * kLanes)));
        };
        return add_saturated(lane_pack(rounded(j), rounded(Index<j + 1>{})), zero);
      };
      const I8 bytes = lane_join<4>(lane_pack(half(Index<0>{}), half(Index<2>{})));
      m += kQuadChannels;
      if (m >= last) m = multipliers;
      return bit_xor(maximum(minimum(bytes, greatest), least), flip);
    };
    for (std::int64_t c = 0; c < whole; c += kQuadChannels) store(y + c, next(c));
    if (whole < n) store_first(y + whole, next(whole), static_cast<int>(n - whole));
  }
}

[[gnu::noinline, gnu::cold]] inline void float_depthwise(const Int8DepthwiseWork& w, const FloatBlock& block,
                                                         void (*convolve)(const void*)) {
  alignas(64) float room[kFloatBlock + 8 * kLanes], pattern[kMostPattern];
  const auto* const packed = static_cast<const float*>(w.weights);
  const FloatFilter f(w.kh * w.kw, w.channels);
  const PanelStore<std::int8_t, 4, Order::packed> panel(w.q, w.y_flip, 0, true);
  const I32 flip = broadcast(static_cast<std::int32_t>(static_cast<std::int8_t>(w.x_flip)));
  const I32 zero = broadcast(static_cast<std::int32_t>(static_cast<std::int8_t>(static_cast<std::uint8_t>(w.x_zero[0]) ^ w.x_flip)));
  const std::int64_t left = w.channels, end = w.panel_end * kQuadChannels < left ? w.panel_end * kQuadChannels : left;
  DepthwiseWork part{};
  part.x_vector = kLanes;
  part.weights = packed + f.weights;
  part.bias = packed + f.bias;
  part.kh = w.kh;
  part.kw = w.kw;
  part.stride_h = w.stride_h;
  part.stride_w = w.stride_w;
  part.dilation_h = part.dilation_w = 1;
  part.pad_left = w.pad_left;
  part.width = w.width;
  part.out_width = w.out_width;
  part.multiplier = w.multiplier;
  part.l1_bytes = 32 * 1024;
  part.l2_bytes = 512 * 1024;
  part.lo = part.activation.lo;
  part.hi = part.activation.hi;
  for (std::int64_t first = w.panel_begin * kQuadChannels, n; first < end; first += n) {
    n = end - first < block.channels ? end - first : block.channels;
    const std::int64_t input = w.multiplier > 1 ? 0 : first, inputs = w.multiplier > 1 ? block.inputs : n;
    // Rows as runs of bytes, where pixels have no others; else pixel by pixel, in whole vectors.
    const bool x_run = inputs == w.x_pixel;
    const std::int64_t x_pixel = x_run ? inputs : FloatBlock::padded(inputs);
    std::int64_t period = n;
    while (period % kQuadChannels != 0 && period <= kMostPattern) period += n;
    const bool y_run = n == w.y_pixel && period <= kMostPattern;
    const std::int64_t y_pixel = x_run || y_run ? n : FloatBlock::padded(n);
    const float* multipliers = packed + f.multipliers + first;
    if (y_run && period > n) {
      for (std::int64_t i = 0; i < period; ++i) pattern[i] = i < n ? multipliers[i] : pattern[i - n];
      multipliers = pattern;
    }
    part.x_pixel = x_pixel;
    part.x_row = w.width * x_pixel;
    part.y_pixel = y_pixel;
    part.y_row = w.out_width * y_pixel;
    part.v_begin = first / kLanes;
    part.v_end = (first + n + kLanes - 1) / kLanes;
    part.channels = y_pixel == n ? first + n : part.v_end * kLanes;
    for (std::int64_t oy = w.y_begin, rows; oy < w.y_end; oy += rows) {
      rows = w.y_end - oy < block.rows ? w.y_end - oy : block.rows;
      const std::int64_t above = oy * w.stride_h - w.pad_top, below = above + (rows - 1) * w.stride_h + w.kh, top = above < 0 ? 0 : above,
                         bottom = below < w.height ? below : w.height;
      float* to = room;
      for (std::int64_t y = top; y < bottom; ++y, to += part.x_row) {
        floats_of(w.x + y * w.x_row + input, w.x_pixel, x_run ? 1 : w.width, x_run ? part.x_row : inputs, flip, zero, to, x_pixel);
      }
      part.x = room - input;  // counted from channel 0
      part.height = bottom > top ? bottom - top : 0;
      part.ring = part.height > 0 ? part.height : 1;
      part.pad_top = top - above;
      part.y_end = rows;
      float* sums = room + FloatBlock::padded(part.height * part.x_row);
      part.y = sums - first;
      convolve(&part);
      auto* y = static_cast<std::int8_t*>(w.y) + (oy - w.y_begin) * w.y_row + first;
      for (std::int64_t row = 0; row < rows; ++row, y += w.y_row, sums += part.y_row) {
        bytes_of(sums, y_pixel, y_run ? 1 : w.out_width, y_run ? part.y_row : n, multipliers, period, panel, y, w.y_pixel);
      }
    }
  }
}

/// Whether floats take less time: small images, of which quads multiply the padding and parts of groups that do not exist, and few inputs
/// repeated by a multiplier. Floats / quads, us (AMD EPYC, Zen 3, 2026-11-29): 5x5 7x7x960 49 / 66, 9x9 0.83 of the speed; 3x3 5x5x1280 22
/// / 27, 8x8x256 0.6 of it; 96x96x1 times 8 with stride 2 30 / 51.
inline bool floats_pay(const Int8DepthwiseWork& w, const QuadFilter& f) {
  if (w.multiplier > 1) return w.multiplier == w.channels || (w.stride_w > 1 && w.channels < 8 * w.multiplier);
  const std::int64_t most = f.shared ? 5 : 7;
  return w.height <= most && w.width <= most;
}

/// Computes the work by floats if all sums are exact.
[[gnu::noinline, gnu::cold]] inline bool by_floats(const Int8DepthwiseWork& w) {
  if (w.y_end <= w.y_begin || w.dilation_h != 1 || w.dilation_w != 1 || w.residual.data != nullptr || w.q.zeros != nullptr ||
      !within_int32(w.q, w.residual) || *static_cast<const float*>(w.weights) == 0.0F) {
    return false;
  }
  const FloatBlock block(w);
  if (block.rows < 1) return false;
  float_depthwise(w, block, float_kernel(w));
  return true;
}

}  // namespace int8
}  // namespace dwsep::DWSEP_ISA_NAMESPACE
