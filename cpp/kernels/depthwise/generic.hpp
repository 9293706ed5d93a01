// Depthwise convolution for every filter size, stride, dilation and channel multiplier.
//
// Inside: tiles of 4x4 output pixels, each input loaded once for the rows that share it; with vertical dilation eight neighbouring pixels
// that share each weight. Where columns fall in the padding: one pixel, four vectors of channels. All sum column by column, top to bottom,
// as the tiles do.
#pragma once

#include "kernels/depthwise/pool.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Reads the inputs of one vector of output channels.
struct PlainChannels {
  int lanes = 0;
  PlainChannels() = default;
  PlainChannels(const DepthwiseWork& w, std::int64_t v) : lanes(valid_lanes(w, v)) {}
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) { return v * w.x_vector; }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return load_up_to(p, lanes); }
};

/// With a channel multiplier, output channel o reads input channel o / multiplier.
struct RepeatedChannels {
  int inputs = 0;
  std::int32_t index[kLanes] = {};
  RepeatedChannels() = default;
  RepeatedChannels(const DepthwiseWork& w, std::int64_t v) {
    const std::int64_t first = v * kLanes / w.multiplier;
    const int lanes = valid_lanes(w, v);
    for (int i = 0; i < kLanes; ++i) {
      const std::int64_t o = v * kLanes + (i < lanes ? i : lanes - 1);
      index[i] = static_cast<std::int32_t>(o / w.multiplier - first);
    }
    inputs = index[kLanes - 1] + 1;
  }
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) { return v * kLanes / w.multiplier; }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return permute(load_up_to(p, inputs), index); }
};

/// Taps [begin, end) of one axis that fall inside the input for output position `out`.
struct TapRange {
  std::int64_t begin, end;
  TapRange(std::int64_t out, std::int64_t stride, std::int64_t pad, std::int64_t dilation, std::int64_t taps, std::int64_t size) {
    const std::int64_t first = out * stride - pad;
    begin = first < 0 ? (-first + dilation - 1) / dilation : 0;
    end = first < size ? (size - 1 - first) / dilation + 1 : 0;
    if (end > taps) end = taps;
    if (begin > end) begin = end;
  }
};

/// Output positions [begin, end) of one axis for which every tap falls inside the input.
struct InsideRange {
  std::int64_t begin, end;
  InsideRange(std::int64_t outputs, std::int64_t stride, std::int64_t pad, std::int64_t dilation, std::int64_t taps, std::int64_t size) {
    const std::int64_t room = size + pad - (taps - 1) * dilation;  // starts [0, room) of the padded input keep the last tap inside
    begin = (pad + stride - 1) / stride;
    end = room > 0 ? (room - 1) / stride + 1 : 0;
    if (end > outputs) end = outputs;
    if (begin > end) begin = end;
  }
};

/// Pixels x Vectors outputs: Pixels along the row from column ox on, Vectors of channels from v on.
template <class Channels, int Pixels, int Vectors>
[[gnu::always_inline]] inline void generic_tile(const DepthwiseWork& w, std::int64_t oy, TapRange kh, std::int64_t ox, TapRange kw,
                                                std::int64_t v, const Channels* channels, float* y) {
  const std::int64_t taps = w.kh * w.kw;
  const std::int64_t step = w.stride_w * w.x_pixel;
  F32 acc[Vectors][Pixels];
  unroll<0, Vectors>([&](auto j) {
    const F32 bias = load(w.bias + (v + j) * kLanes);
    unroll<0, Pixels>([&](auto i) { acc[j][i] = bias; });
  });
  for (std::int64_t c = kw.begin; c < kw.end; ++c) {
    const std::int64_t column = (ox * w.stride_w - w.pad_left + c * w.dilation_w) * w.x_pixel;
    for (std::int64_t r = kh.begin; r < kh.end; ++r) {
      const float* row = input_row(w, oy * w.stride_h - w.pad_top + r * w.dilation_h);
      const float* weights = w.weights + (v * taps + c * w.kh + r) * kLanes;
      unroll<0, Vectors>([&](auto j) __attribute__((always_inline)) {
        const F32 tap = load(weights + j * taps * kLanes);
        const float* x = row + (column + Channels::offset(w, v + j));
        unroll<0, Pixels>([&](auto i) { acc[j][i] = fma(channels[j](x + i * step), tap, acc[j][i]); });
      });
    }
  }
  const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
  unroll<0, Vectors>([&](auto j) __attribute__((always_inline)) {
    const int lanes = valid_lanes(w, v + j);
    unroll<0, Pixels>([&](auto i) { store_up_to(y + (ox + i) * w.y_pixel + (v + j) * kLanes, clip(acc[j][i], lo, hi), lanes); });
  });
}

/// Rows x Pixels outputs of one vector, for filters without vertical dilation: each input meets all the rows that it belongs to.
template <class Channels, int Rows, int Pixels>
[[gnu::flatten]] inline void generic_rows(const DepthwiseWork& w, std::int64_t oy, std::int64_t ox, std::int64_t v,
                                          const Channels& channels, float* y) {
  const std::int64_t step = w.stride_w * w.x_pixel, first_row = oy * w.stride_h - w.pad_top;
  const float* weights = w.weights + v * w.kh * w.kw * kLanes;
  F32 acc[Rows][Pixels];
  const F32 bias = load(w.bias + v * kLanes);
  unroll<0, Rows>([&](auto r) { unroll<0, Pixels>([&](auto i) { acc[r][i] = bias; }); });
  for (std::int64_t c = 0; c < w.kw; ++c, weights += w.kh * kLanes) {
    const std::int64_t column = (ox * w.stride_w - w.pad_left + c * w.dilation_w) * w.x_pixel + Channels::offset(w, v);
    for (std::int64_t iy = 0; iy < (Rows - 1) * w.stride_h + w.kh; ++iy) {
      const float* row = input_row(w, first_row + iy);
      if (row == nullptr) continue;
      F32 in[Pixels];
      unroll<0, Pixels>([&](auto i) { in[i] = channels(row + (column + i * step)); });
      unroll<0, Rows>([&](auto r) __attribute__((always_inline)) {
        const std::int64_t kh = iy - r * w.stride_h;
        if (kh < 0 || kh >= w.kh) return;
        const F32 tap = load(weights + kh * kLanes);
        unroll<0, Pixels>([&](auto i) { acc[r][i] = fma(in[i], tap, acc[r][i]); });
      });
    }
  }
  const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
  const int lanes = valid_lanes(w, v);
  unroll<0, Rows>([&](auto r) {
    unroll<0, Pixels>([&](auto i) { store_up_to(y + r * w.y_row + (ox + i) * w.y_pixel + v * kLanes, clip(acc[r][i], lo, hi), lanes); });
  });
}

/// `Rows` output rows, `Vectors` vectors of channels from v on.
template <class Channels, int Rows, int Vectors>
[[gnu::flatten]] inline void generic_band(const DepthwiseWork& w, std::int64_t oy, std::int64_t v, float* y) {
  constexpr int kPixels = Rows == 1 ? 8 : 4;
  const InsideRange inside(w.out_width, w.stride_w, w.pad_left, w.dilation_w, w.kw, w.width);
  Channels channels[Vectors];
  for (int j = 0; j < Vectors; ++j) channels[j] = Channels(w, v + j);
  for (std::int64_t ox = 0; ox < w.out_width;) {
    const bool block = ox >= inside.begin && ox + kPixels <= inside.end;
    if (block && Rows > 1) {
      for (int j = 0; j < Vectors; ++j) generic_rows<Channels, Rows, kPixels>(w, oy, ox, v + j, channels[j], y);
    } else {
      const TapRange kw(ox, w.stride_w, w.pad_left, w.dilation_w, w.kw, w.width);
      for (int r = 0; r < Rows; ++r) {
        const TapRange kh(oy + r, w.stride_h, w.pad_top, w.dilation_h, w.kh, w.height);
        if (block) {
          for (int j = 0; j < Vectors; ++j) {
            generic_tile<Channels, kPixels, 1>(w, oy + r, kh, ox, kw, v + j, channels + j, y + r * w.y_row);
          }
        } else {
          generic_tile<Channels, 1, Vectors>(w, oy + r, kh, ox, kw, v, channels, y + r * w.y_row);
        }
      }
    }
    ox += block ? kPixels : 1;
  }
}

template <class Channels, int Rows>
inline void generic_rows_of(const DepthwiseWork& w, std::int64_t oy) {
  constexpr int kVectors = 4;
  float* y = w.y + (oy - w.y_begin) * w.y_row;
  std::int64_t v = w.v_begin;
  for (; v + kVectors <= w.v_end; v += kVectors) generic_band<Channels, Rows, kVectors>(w, oy, v, y);
  for (; v < w.v_end; ++v) generic_band<Channels, Rows, 1>(w, oy, v, y);
  if (w.finish) finish_pixels(w, oy - w.y_begin, Rows, 0, w.out_width, w.v_begin, w.v_end);
  pool_rows<Rows>(w, oy, w.v_begin, w.v_end);
}

template <class Channels>
inline void generic(const DepthwiseWork& w) {
  constexpr int kRows = kRegisters == 32 ? 4 : 2;
  std::int64_t oy = w.y_begin;
  if (w.dilation_h == 1) {
    for (; oy + kRows <= w.y_end; oy += kRows) generic_rows_of<Channels, kRows>(w, oy);
  }
  for (; oy < w.y_end; ++oy) generic_rows_of<Channels, 1>(w, oy);
}

inline void depthwise_generic(const DepthwiseWork& w) { w.multiplier == 1 ? generic<PlainChannels>(w) : generic<RepeatedChannels>(w); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
