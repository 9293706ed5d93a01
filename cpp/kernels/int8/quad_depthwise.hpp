// The int8 depthwise convolution: groups of output rows, panels of channels, strips of columns whose rows of quads fit the stack.
#pragma once

#include "kernels/int8/quad_depthwise_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// [panel][group of vectors][row of quads][kx][vector][output row][lane][row of x]
template <int Down>
inline void pack_quad_depthwise(Int8PackWork& w) {
  const QuadFilter f(w.kh, Down);
  constexpr std::int64_t kBytes = Dot::kWeightVectors * I8::kLanes;
  const std::int64_t panel_bytes = window_weight_bytes(f.rows, f.quads, w.kw);
  w.panels = (w.columns + kQuadChannels - 1) / kQuadChannels;
  w.panel_columns = kQuadChannels;
  w.sums = w.panels * kQuadChannels;
  w.bytes = w.panels * panel_bytes;
  if (w.packed == nullptr) return;
  auto* const out = static_cast<std::int8_t*>(w.packed);
  for (std::int64_t i = 0; i < w.sums; ++i) {
    const std::int64_t panel = i / kQuadChannels;
    const int v = static_cast<int>(i % kQuadChannels / kLanes), lane = static_cast<int>(i % kLanes);
    int channel = channel_of(Order::packed, 4, v, lane);
    if (kHalves && w.columns - panel * kQuadChannels <= kQuadChannels / 2) channel %= kQuadChannels / 2;  // of the second pixel
    const std::int64_t c = panel * kQuadChannels + channel;
    const bool exists = c < w.columns;
    std::uint32_t sum = 0, correction = 0;
    for (std::int64_t row = 0; row < f.rows; ++row) {
      for (std::int64_t kx = 0; kx < w.kw; ++kx) {
        for (std::int64_t y = 0; y < 4 * f.quads; ++y) {
          const std::int64_t ky = y - row * f.shift;
          const bool tap = exists && ky >= 0 && ky < w.kh;
          const std::int8_t weight = tap ? w.weights[(ky * w.kw + kx) * w.weights_row + c] : std::int8_t{0};
          const std::int64_t at = (((v / kWindowGroup * f.quads + y / 4) * w.kw + kx) * kWindowGroup + v % kWindowGroup) * f.rows + row;
          const std::int32_t added = Dot::pack(weight, out + panel * panel_bytes + at * kBytes + lane * 4 + y % 4);
          if (row > 0) continue;
          correction += static_cast<std::uint32_t>(added);
          sum += static_cast<std::uint32_t>(weight);
        }
      }
    }
    const std::uint32_t initial = exists ? static_cast<std::uint32_t>(w.bias[c]) - static_cast<std::uint32_t>(w.x_zeros[c]) * sum : 0;
    w.initial[i] = static_cast<std::int32_t>(initial + correction);
    w.multiplier[i] = exists ? w.multipliers[c] : 0.0F;
  }
}

/// Output columns [0, columns) of a strip: tiles of nearly equal width.
template <class Out, int R>
inline void quad_strip(const QuadWindow& t, const PanelStore<Out, 4, Order::packed>& panel, std::int64_t columns) {
  const std::int64_t most = max_window_columns(R), tiles = (columns + most - 1) / most, width = columns / tiles, wider = columns % tiles;
  if (wider > 0) quad_windows<Out, R>(t, panel, width + 1, 0, wider);
  quad_windows<Out, R>(t, panel, width, wider * (width + 1), tiles - wider);
}

/// One panel's output rows [begin, end).
template <class Out>
inline void quad_panel_rows(const Int8DepthwiseWork& w, const QuadFilter& f, std::int64_t panel,
                            const PanelStore<Out, 4, Order::packed>& store, std::int64_t begin, std::int64_t end, std::int8_t* quads) {
  const std::int64_t channel = panel * kQuadChannels;
  const std::int64_t taps = (w.kw - 1) * w.dilation_w + 1, room = kQuadColumns / f.quads - taps;
  // Half a vector of channels: two pixels at a time. 112x112x32 took 129 us pixel by pixel and takes 88.
  const bool pairs = kHalves && sizeof(Out) == 1 && panel_channels(w.channels, channel) <= kQuadChannels / 2 &&
                     w.residual.data == nullptr && w.q.zeros == nullptr && w.out_width > 1;
  const std::int64_t together = pairs ? 2 : 1, strip = (room / (together * w.stride_w) + 1) * together;
  const QuadRow row(w, channel, pairs);
  QuadWindow t{};
  t.x = quads;
  t.column_step = together * w.stride_w * kColumnBytes;
  t.tap_step = w.dilation_w * kColumnBytes;
  t.quads = f.quads;
  t.kw = w.kw;
  t.weights = static_cast<const std::int8_t*>(w.weights) + panel * window_weight_bytes(f.rows, f.quads, w.kw);
  t.initial = w.initial + channel;
  t.multiplier = w.q.multiplier + channel;
  t.y_row = w.y_row;
  t.y_pixel = together * w.y_pixel;
  t.second = pairs ? w.y_pixel : 0;
  t.residual_type = &w.residual;
  t.channels = row.channels();
  for (std::int64_t oy = begin; oy < end; oy += f.rows) {
    t.rows = static_cast<int>(end - oy < f.rows ? end - oy : f.rows);
    for (std::int64_t ox = 0; ox < w.out_width; ox += strip) {
      const std::int64_t pixels = w.out_width - ox < strip ? w.out_width - ox : strip, columns = (pixels + together - 1) / together;
      const std::int64_t first = ox * w.stride_w - w.pad_left, needed = (columns - 1) * together * w.stride_w + taps;
      t.pairs = pairs ? pixels / 2 : 0;
      t.quad_step = needed * kColumnBytes;
      for (std::int64_t q = 0; q < f.quads; ++q) {
        row.fill(oy * w.stride_h - w.pad_top + 4 * q * w.dilation_h, first, first + needed, quads + q * t.quad_step);
      }
      t.y = static_cast<Out*>(w.y) + (oy - w.y_begin) * w.y_row + ox * w.y_pixel + channel;
      t.residual =
          w.residual.data == nullptr ? nullptr : w.residual.data + (oy - w.y_begin) * w.residual.row + ox * w.residual.pixel + channel;
      f.rows == 1 ? quad_strip<Out, 1>(t, store, columns) : quad_strip<Out, 2>(t, store, columns);
    }
  }
}

/// Output rows begin Down filter rows after each other, or 0: anyhow.
template <class Out, int Down>
inline void quad_depthwise(const Int8DepthwiseWork& w) {
  using Store = PanelStore<Out, 4, Order::packed>;
  alignas(64) std::int8_t quads[kQuadRowBytes];
  const QuadFilter f(w.kh, Down);
  const bool within = within_int32(w.q.multiplier, (w.channels + kQuadChannels - 1) / kQuadChannels * kQuadChannels, w.residual);
  // Row by row, so that what a group of rows reads stays in the caches; but bounds of each channel are costly to set up.
  const std::int64_t step = w.q.zeros == nullptr ? f.rows : w.y_end - w.y_begin;
  for (std::int64_t y = w.y_begin; y < w.y_end; y += step) {
    const std::int64_t end = w.y_end - y < step ? w.y_end : y + step;
    for (std::int64_t p = w.panel_begin; p < w.panel_end; ++p) {
      const Store store(w.q, w.y_flip, p * kQuadChannels, within);
      quad_panel_rows<Out>(w, f, p, store, y, end, quads);
    }
  }
}

/// Whether an output's columns of quads fit the stack.
inline bool quads_fit(const Problem& p) { return (p.kw - 1) * p.dilation_w + 1 <= kQuadColumns / QuadFilter(p.kh, 0).quads; }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
