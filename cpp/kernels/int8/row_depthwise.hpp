// The int8 depthwise convolution of filters one row high, without dot products and with 16 registers: quads are four taps of a row, where
// those of columns and squares (quad_filter.hpp) have zeros for rows that the filter does not have, and for a second output row.
#pragma once

#include "kernels/int8/quad_flat.hpp"
#include "kernels/int8/quad_requantize.hpp"
#include "kernels/int8/quad_rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kRowColumns = 256;  ///< of x, and positions of quads, on the stack
constexpr std::int64_t kRowSpan = 128;     ///< columns of x that an output may reach over
constexpr int kRowOutputs = 3;             ///< of a tile
constexpr std::int64_t kRowBytes = I8::kLanes, kRowQuads = 4 * kRowBytes, kRowWeights = 4 * Dot::kWeightVectors * kRowBytes;

constexpr QuadFilter row_filter(std::int64_t kw) {
  QuadFilter f(1, kw, 0, false);
  f.high = 1;
  f.wide = f.last_wide = 4;
  f.steps = f.last_steps = (kw + 3) / 4;
  return f;
}
inline bool row_fits(const Problem& p) { return row_filter(p.kw).group() == 4 && (p.kw + 3) / 4 * 4 * p.dilation_w <= kRowSpan; }
inline void pack_row_depthwise(Int8PackWork& w) { pack_quad_filter(w, row_filter(w.kw)); }

/// Channels of a row of x.
struct RowSource {
  const std::int8_t *x, *zero;  ///< what a tap in the padding reads
  std::int64_t pixel, width;
  int channels;

  /// Copies columns [first, first + count), those of at most 16 channels as half of a vector. Whole pieces where another column follows,
  /// into which they may reach: 13 columns of 28 channels took 700 instructions by parts.
  [[gnu::noinline]] void copy(std::int64_t first, std::int64_t count, std::int8_t* to) const {
    const int n = channels, piece = n > 16 ? kQuadChannels : 16;
    const std::int64_t last = first + count, whole = n == piece ? width : (pixel + n >= piece ? width - 1 : 0);
    const auto run = [&](std::int64_t until, const std::int8_t* from, std::int64_t next) __attribute__((always_inline)) {
      if (piece == 16) {
        for (; first < until; ++first, from += next, to += kRowBytes) __builtin_memcpy(to, from, 16);
      } else {
        for (; first < until; ++first, from += next, to += kRowBytes) store(to, load(from));
      }
    };
    while (first < last) {
      const bool inside = first >= 0 && first < width;
      const std::int8_t* const from = inside ? x + first * pixel : zero;
      const std::int64_t end = first < 0 ? 0 : (first < whole ? whole : (inside ? first + 1 : last)), until = end < last ? end : last;
      if (inside && first < whole) {
        run(until, from, pixel);
        continue;
      }
      alignas(32) std::int8_t part[kRowBytes];
      store(part, load_first(from, n));
      run(until, part, 0);
    }
  }
};

/// What the tiles of a panel's row share. Distances count bytes of quads.
struct RowPanel {
  std::int64_t output, step, steps;  ///< from output to output, from quad to quad of one; quads of one
  const std::int8_t* weights;
  const std::int32_t* initial;
  const float* multiplier;
  int channels;
  std::int64_t y_pixel;
  std::int64_t pair;  ///< outputs from one to that which shares its vectors, or 0
  const Int8Residual* residual;
};

/// The sums of N outputs next to each other.
template <int N>
[[gnu::flatten, gnu::noinline]] void row_sums(const RowPanel& t, const std::int8_t* quads, std::int32_t* sums) {
  typename Dot::Sums acc[N][4];
  unroll<0, 4>([&](auto v) __attribute__((always_inline)) {
    const auto start = Dot::start(load(t.initial + v * kLanes));
    unroll<0, N>([&](auto i) __attribute__((always_inline)) { acc[i][v] = start; });
  });
  const std::int64_t output = t.output;
  const std::int8_t* weights = t.weights;
  for (std::int64_t k = t.steps; k > 0; --k, quads += t.step, weights += kRowWeights) {
    unroll<0, 4>([&](auto v) __attribute__((always_inline)) {
      const auto w = Dot::load_once(weights + v * Dot::kWeightVectors * kRowBytes);
      unroll<0, N>([&](auto i)
                       __attribute__((always_inline)) { acc[i][v] = Dot::add(acc[i][v], load(quads + i * output + v * kRowBytes), w); });
    });
  }
  unroll<0, N>([&](auto i) __attribute__((always_inline)) {
    unroll<0, 4>([&](auto v) __attribute__((always_inline)) { store(sums + (4 * i + v) * kLanes, Dot::finish(acc[i][v])); });
  });
}
constexpr decltype(&row_sums<1>) kRowSums[] = {row_sums<1>, row_sums<2>, row_sums<kRowOutputs>};

/// Their values, and the first `pairs` of those that share their vectors.
[[gnu::flatten, gnu::noinline]] inline void store_row(const RowPanel& t, const PanelStore<std::int8_t, 4, Order::packed>& panel,
                                                      const std::int32_t* sums, std::int64_t count, std::int64_t pairs, std::int8_t* y,
                                                      const std::int8_t* residual) {
  const float* const multiplier = t.multiplier;
  const std::int64_t y_pixel = t.y_pixel, pair = t.pair * y_pixel;
  const int n = t.channels;
  for (std::int64_t i = 0; i < count; ++i, y += y_pixel, sums += 4 * kLanes) {
    RealSums<4> real;
    unroll<0, 4>([&](auto v) __attribute__((always_inline)) { real.set(v, load(sums + v * kLanes), multiplier); });
    if (residual != nullptr) real.template add_residual<Order::packed>(residual + i * t.residual->pixel, n, *t.residual);
    const I8 bytes = panel.stored(real);
    if (n == kQuadChannels) {
      store(y, bytes);
    } else if (pair == 0) {
      store_first(y, bytes, n);
    } else {
      store_pieces<2>(y, pair, bytes, n, i < pairs ? 2 : 1);
    }
  }
}

inline void row_depthwise(const Int8DepthwiseWork& w) {
  alignas(64) std::int32_t sums[kRowOutputs * kQuadChannels];
  alignas(64) std::int8_t columns[kRowColumns * kRowBytes], quads[kRowColumns * kRowQuads];
  const std::int64_t steps = (w.kw + 3) / 4, jump = 4 * w.dilation_w, span = (4 * steps - 1) * w.dilation_w + 1;
  // Columns from one position of quads to the next: those that no output reads are left out.
  const std::int64_t next = w.out_width == 1 ? jump : (jump % w.stride_w == 0 ? w.stride_w : 1);
  const std::int64_t most = (kRowColumns - span) / w.stride_w + 1;  // outputs
  const bool within = within_int32(w.q, w.residual);
  const QuadFilter f = row_filter(w.kw);
  // Pixels are copied as up to two vectors each where they are apart.
  const FlatPeriods flat(f, 1, w.kw, w.channels, 1);
  if ((w.stride_w == 1 || w.channels <= 2 * kQuadChannels) && flat.taps > 0 && within && w.residual.data == nullptr &&
      w.q.zeros == nullptr) {
    const PanelStore<std::int8_t, 4, Order::packed> store_panel(w.q, w.y_flip, 0, within);
    if (flat_depthwise(w, f, (w.channels + kQuadChannels - 1) / kQuadChannels, flat, store_panel)) return;
  }
  const I8 flip = broadcast(static_cast<std::int8_t>(w.x_flip ^ Dot::kFlip));
  for (std::int64_t p = w.panel_begin; p < w.panel_end; ++p) {
    const std::int64_t channel = p * kQuadChannels, left = w.channels - channel;
    const int n = static_cast<int>(left < kQuadChannels ? left : kQuadChannels);
    const PanelStore<std::int8_t, 4, Order::packed> store_panel(w.q, w.y_flip, channel, within);
    RowPanel t{w.stride_w / next * kRowQuads,
               jump / next * kRowQuads,
               steps,
               static_cast<const std::int8_t*>(w.weights) + p * steps * kRowWeights,
               w.initial + channel,
               w.q.multiplier + channel,
               n,
               w.y_pixel,
               0,
               &w.residual};
    for (std::int64_t oy = w.y_begin; oy < w.y_end; ++oy) {
      const std::int64_t row = oy * w.stride_h - w.pad_top, width = row >= 0 && row < w.height ? w.width : 0;
      for (std::int64_t ox = 0, count; ox < w.out_width; ox += count) {
        count = w.out_width - ox < most ? w.out_width - ox : most;
        // Of few channels the second half of the outputs shares the vectors of the first.
        t.pair = n <= 16 && count > 1 && w.residual.data == nullptr && w.q.zeros == nullptr ? (count + 1) / 2 : 0;
        const std::int64_t half = t.pair > 0 ? t.pair : count, reach = (half - 1) * w.stride_w;
        const RowSource from{w.x + row * w.x_row + channel, w.x_zero + channel, w.x_pixel, width, n};
        from.copy(ox * w.stride_w - w.pad_left, reach + span, columns);
        if (t.pair > 0) from.copy((ox + half) * w.stride_w - w.pad_left, reach + span, columns + 16);
        const auto column = [&](std::int64_t i) { return bit_xor(load(columns + i * kRowBytes), flip); };
        for (std::int64_t i = 0, at = 0; i <= reach + (steps - 1) * jump; i += next, at += kRowQuads) {
          store_quads(column(i), column(i + w.dilation_w), column(i + 2 * w.dilation_w), column(i + 3 * w.dilation_w), quads + at,
                      kRowBytes);
        }
        std::int8_t* y = static_cast<std::int8_t*>(w.y) + (oy - w.y_begin) * w.y_row + ox * w.y_pixel + channel;
        const std::int8_t* residual =
            w.residual.data == nullptr ? nullptr : w.residual.data + (oy - w.y_begin) * w.residual.row + ox * w.residual.pixel + channel;
        const std::int8_t* at = quads;
        for (std::int64_t i = 0, now; i < half; i += now) {
          // Of four that are left two and two.
          now = half - i >= kRowOutputs && half - i != 4 ? kRowOutputs : (half - i == 1 ? 1 : 2);
          kRowSums[now - 1](t, at, sums);
          store_row(t, store_panel, sums, now, count - half - i, y, residual);
          at += now * t.output;
          y += now * w.y_pixel;
          if (residual != nullptr) residual += now * w.residual.pixel;
        }
      }
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
