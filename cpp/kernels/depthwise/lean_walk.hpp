// The loops of depthwise kernels for few registers: groups of rows, and in each either vectors along the row or tiles of pixels.
#pragma once

#include "kernels/depthwise/lean_slide.hpp"
#include "kernels/depthwise/lean_tile.hpp"
#include "kernels/depthwise/walk.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The channel vectors of a call: whole ones, and a last one that is not. That is computed as the last kLanes channels, some of them once
/// more, with weights of its own; where channels do not lie side by side or are too few, by masked tiles.
template <class F>
class LeanChannels {
 public:
  static constexpr int kTaps = F::KH * F::KW;

  explicit LeanChannels(const DepthwiseWork& w) : w_(w), whole_end_(w.channels / kLanes < w.v_end ? w.channels / kLanes : w.v_end) {
    if (whole_end_ == w.v_end) return;
    if (w.x_vector != kLanes || whole_end_ == w.v_begin) {
      masked_ = true;
      return;
    }
    const std::int64_t channel = w.channels - kLanes;
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const std::int64_t v = (channel + lane) / kLanes, from = (channel + lane) % kLanes;
      for (int i = 0; i < kTaps; ++i) last_weights_[i * kLanes + lane] = w.weights[(v * kTaps + i) * kLanes + from];
      last_bias_[lane] = w.bias[channel + lane];
    }
    last_ = true;
  }

  ChannelGroup group(std::int64_t v) const { return {v * w_.x_vector, w_.weights + v * kTaps * kLanes, w_.bias + v * kLanes, v * kLanes}; }
  std::int64_t whole_end() const { return whole_end_; }
  bool last() const { return last_; }
  ChannelGroup last_group() const { return {w_.channels - kLanes, last_weights_, last_bias_, w_.channels - kLanes}; }
  bool masked() const { return masked_; }

 private:
  const DepthwiseWork& w_;
  std::int64_t whole_end_;
  bool last_ = false, masked_ = false;
  float last_weights_[kTaps * kLanes], last_bias_[kLanes];
};

/// Of `Count` rows from `first` on, how many lie before and behind those that exist.
struct Missing {
  std::int64_t before, behind;
  Missing(std::int64_t first, std::int64_t count, std::int64_t size)
      : before(first < 0 ? -first : 0), behind(first + count > size ? first + count - size : 0) {}
  /// Whether kernels of a filter with `taps` rows are compiled for that: up to half a filter at one side. At both sides of a 3x3 one too.
  bool compiled(int taps) const { return before <= taps / 2 && behind <= taps / 2 && (taps == 3 || before == 0 || behind == 0); }
};

/// Calls f(Index<Begin>, Index<End>) with the range of input rows that exist of a group of Rows output rows.
template <class F, int Rows, class Function>
[[gnu::always_inline]] inline void with_existing(const Missing& missing, const Function& f) {
  constexpr int kCount = InputRows<F, Rows>::kCount;
  if (missing.before == 0 && missing.behind == 0) return f(Index<0>{}, Index<kCount>{});
  if (F::KH == 3 && missing.before == 1 && missing.behind == 1) return f(Index<1>{}, Index<kCount - 1>{});
  unroll<1, F::KH / 2 + 1>([&](auto n) {
    if (missing.before == n) f(n, Index<kCount>{});
    if (missing.behind == n) f(Index<0>{}, Index<kCount - n>{});
  });
}

/// Groups of rows, the tallest first; f(Index<TH>, input rows, Index<Begin>, Index<End>, y) computes one. What no kernel is compiled for
/// goes by masked tiles: rows of filters taller than the image, a last vector of channels that do not lie side by side.
template <class F, int... TH, class Function>
[[gnu::always_inline]] inline void for_lean_groups(const DepthwiseWork& w, const LeanChannels<F>& channels, Sizes<TH...>,
                                                   const Function& f) {
  std::int64_t oy = w.y_begin;
  const auto finish = [&](auto height, const auto& rows, std::int64_t masked_begin) {
    const std::int64_t row = oy - w.y_begin;
    if (masked_begin < w.v_end) {
      DepthwiseWork part = w;
      part.finish = false;
      const std::int64_t ox = tile_columns<F, height, 2>(part, rows.at, rows.all, row, 0, masked_begin, w.v_end);
      tile_columns<F, height, 1>(part, rows.at, rows.all, row, ox, masked_begin, w.v_end);
    }
    if (w.finish) finish_pixels(w, row, height, 0, w.out_width, w.v_begin, w.v_end);
    pool_rows<height>(w, oy, w.v_begin, w.v_end);
    oy += height;
  };
  const auto groups = [&](auto height) {
    while (oy + height <= w.y_end) {
      const Missing missing(oy * F::SH - w.pad_top, InputRows<F, height>::kCount, w.height);
      if (!missing.compiled(F::KH)) return;
      const InputRows<F, height> rows(w, oy);
      with_existing<F, height>(missing, [&](auto begin, auto end) { f(height, rows.at, begin, end, w.y + (oy - w.y_begin) * w.y_row); });
      finish(height, rows, channels.masked() ? channels.whole_end() : w.v_end);
    }
  };
  while (oy < w.y_end) {
    (groups(Index<TH>{}), ...);
    if (oy < w.y_end) finish(Index<1>{}, InputRows<F, 1>(w, oy), w.v_begin);
  }
}

/// V vectors at a time along a group of rows.
template <class F, class Heights, int V>
struct LeanSliding {
  static void run(const DepthwiseWork& w) {
    const LeanChannels<F> channels(w);
    for_lean_groups<F>(w, channels, Heights{}, [&](auto height, const float* const* rows, auto begin, auto end, float* y) {
      std::int64_t v = w.v_begin;
      if constexpr (V > 1) {
        for (; v + V <= channels.whole_end(); v += V) LeanSlide<F, height, V>::template run<begin, end>(w, rows, channels.group(v), y);
      }
      for (; v < channels.whole_end(); ++v) LeanSlide<F, height, 1>::template run<begin, end>(w, rows, channels.group(v), y);
      if (channels.last()) LeanSlide<F, height, 1>::template run<begin, end>(w, rows, channels.last_group(), y);
    });
  }
};

/// Tiles of TW columns, of strips of channels that leave in the level-1 cache what the next tile reads again, and, where the width is no
/// multiple, some of TW - 1 (of TW - 1 columns at least); all channels of a tile before the next, V vectors at a time.
template <class F, class Heights, int TW, int V>
struct LeanTiled {
  /// Vectors of a strip: as many as take 1 KB of a pixel, half of that for larger filters.
  static constexpr std::int64_t kStrip = (F::KH > 3 ? 128 : 256) / kLanes;

  static void run(const DepthwiseWork& w) {
    const std::int64_t tiles = (w.out_width + TW - 1) / TW, narrow = tiles * TW - w.out_width;
    const std::int64_t wide_end = (tiles - narrow) * TW;
    const LeanChannels<F> channels(w);
    for_lean_groups<F>(w, channels, Heights{}, [&](auto height, const float* const* rows, auto begin, auto end, float* y) {
      for (std::int64_t v = w.v_begin; v < w.v_end; v += kStrip) {
        const std::int64_t v_end = v + kStrip < w.v_end ? v + kStrip : w.v_end;
        for (std::int64_t ox = 0; ox < wide_end; ox += TW) tile<height, TW, begin, end>(w, channels, v, v_end, rows, ox, y);
        for (std::int64_t ox = wide_end; ox < w.out_width; ox += TW - 1) {
          tile<height, TW - 1, begin, end>(w, channels, v, v_end, rows, ox, y);
        }
      }
    });
  }

 private:
  /// Vectors [v, v_end) of one tile.
  template <int Rows, int Width, int RowBegin, int RowEnd>
  static void tile(const DepthwiseWork& w, const LeanChannels<F>& channels, std::int64_t v, std::int64_t v_end, const float* const* rows,
                   std::int64_t ox, float* y) {
    using Tile = LeanTile<F, Rows, Width>;
    const std::int64_t first = ox * F::SW - w.pad_left, x = first * w.x_pixel;
    const std::uint32_t all = (1U << Tile::kColumns) - 1;
    const std::uint32_t columns = (all << clamp_to(-first, Tile::kColumns)) & ((1U << clamp_to(w.width - first, Tile::kColumns)) - 1);
    const auto at = [&](ChannelGroup g) {
      g.x += x;
      g.y += ox * w.y_pixel;
      return g;
    };
    const std::int64_t whole_end = v_end < channels.whole_end() ? v_end : channels.whole_end(), together = (whole_end - v) / V;
    if (together > 0) Tile::template run<V, RowBegin, RowEnd>(w, rows, at(channels.group(v)), columns, together, y);
    v += together * V;
    if (V > 1 && v < whole_end) Tile::template run<1, RowBegin, RowEnd>(w, rows, at(channels.group(v)), columns, whole_end - v, y);
    if (v_end > whole_end && channels.last()) Tile::template run<1, RowBegin, RowEnd>(w, rows, at(channels.last_group()), columns, 1, y);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
