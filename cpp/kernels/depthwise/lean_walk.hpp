// The loops of depthwise kernels that load their weights: in each group of rows either vectors along the row or tiles of pixels.
#pragma once

#include <utility>

#include "kernels/depthwise/lean_groups.hpp"
#include "kernels/depthwise/lean_slide.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Kernels for each height and case of missing rows.
template <class F, int V, class Indices>
struct LeanSlides;
template <class F, int V, int... I>
struct LeanSlides<F, V, std::integer_sequence<int, I...>> {
  using Cases = RowCases<F>;
  using Run = void (*)(const DepthwiseWork& w, const float* const* rows, const ChannelGroup& g, float* y);
  template <int Case, class S>
  static constexpr Run one() {
    return S::template run<Cases::before(Case), S::kRows - Cases::behind(Case)>;
  }
  static constexpr Run kRun[] = {one<I % Cases::kCount, LeanSlide<F, I / Cases::kCount + 1, V>>()...};
};

template <class F, int TW, int V, class Indices>
struct LeanTiles;
template <class F, int TW, int V, int... I>
struct LeanTiles<F, TW, V, std::integer_sequence<int, I...>> {
  using Cases = RowCases<F>;
  using Run = void (*)(const DepthwiseWork& w, const float* const* rows, const ChannelGroup& g, std::uint32_t columns, std::int64_t count,
                       float* y, std::int64_t tiles);
  template <int Case, class T>
  static constexpr Run one() {
    return T::template run<V, Cases::before(Case), T::kRows - Cases::behind(Case)>;
  }
  static constexpr Run kRun[] = {one<I % Cases::kCount, LeanTile<F, I / Cases::kCount / TW + 1, I / Cases::kCount % TW + 1>>()...};
};

/// Vectors of a strip that begin at cache lines, `shift` channels behind those that weights are packed for, and weights for these. The
/// channels before and behind go as whole vectors, some of them once more.
struct ShiftedStrip {
  static constexpr std::int64_t kMost = 16 * 1024 / sizeof(float) / kLanes;  ///< vectors of weights
  std::int64_t shift, head, count, tail;                                     ///< vectors before, of these, and behind
  alignas(64) float weights[kMost * kLanes], bias[kMost / 9 * kLanes];

  void pack(const DepthwiseWork& w, std::int64_t v, std::int64_t v_end) {
    const std::int64_t from = v + shift / kLanes, taps = w.kh * w.kw;
    head = v == w.v_begin ? (shift + kLanes - 1) / kLanes : 0;
    tail = v_end == w.v_end ? 1 : 0;
    count = tail > 0 ? v_end - 1 - from : v_end - v;
    across(w.weights, from, taps, weights);
    across(w.bias, from, 1, bias);
  }

 private:
  [[gnu::noinline]] void across(const float* packed, std::int64_t from, std::int64_t taps, float* to) const {
    const std::int64_t vector = taps * kLanes;
    const float *p = packed + from * vector, *const end = p + count * vector;
    for (; p < end; p += kLanes, to += kLanes) store(to, load_across(p, p + vector, static_cast<int>(shift % kLanes)));
  }
};

/// rows(part, strip) for all strips of `vectors` or up to two more.
[[gnu::noinline]] inline void shifted_strips(const DepthwiseWork& w, std::int64_t shift, std::int64_t vectors,
                                             void (*rows)(const DepthwiseWork&, const ShiftedStrip*)) {
  ShiftedStrip s;
  s.shift = shift;
  DepthwiseWork part = w;
  part.finish = false;
  part.row_sums = nullptr;
  for (std::int64_t v = w.v_begin; v < w.v_end; v = part.v_end) {
    part.v_begin = v;
    part.v_end = v + vectors + 2 < w.v_end ? v + vectors : w.v_end;
    s.pack(w, v, part.v_end);
    rows(part, &s);
  }
  finish_rows(w, 0, static_cast<int>(w.y_end - w.y_begin), w.v_begin, w.v_end);
}

/// V vectors at a time along a group of R rows.
template <class F, int R, int V>
struct LeanSliding {
  using Slides = LeanSlides<F, V, std::make_integer_sequence<int, R * RowCases<F>::kCount>>;
  using Single = LeanSlides<F, 1, std::make_integer_sequence<int, R * RowCases<F>::kCount>>;
  static constexpr std::int64_t kTaps = F::KH * F::KW;
  /// Whether vectors begin at cache lines where pixels do not, by strips as in tiles.
  static constexpr bool kShifts = kLanes == 8 && V > 1 && F::SH == 2;
  static_assert(!kShifts || (128 / kLanes + 2) * kTaps <= ShiftedStrip::kMost);

  static void run(const DepthwiseWork& w) {
    if constexpr (kShifts) {
      const std::int64_t outputs = w.out_width * (w.y_end - w.y_begin),
                         shift = outputs > 32 ? shift_to_lines(w, F::KH > 3 && outputs > 64) : 0;
      if (shift > 0) return shifted_strips(w, shift, 128 / kLanes, rows);
    }
    rows(w, nullptr);
  }

 private:
  static void rows(const DepthwiseWork& w, const ShiftedStrip* s) {
    const LeanChannels<F> channels(w);
    for_lean_groups<F, R>(
        w, channels, [&](const RowGroup<F, R>& group, float* y) __attribute__((always_inline)) {
          const auto kernel = (group.height - 1) * RowCases<F>::kCount + group.rows_case;
          const auto one = [&](const ChannelGroup& g) { Single::kRun[kernel](w, group.input, g, y); };
          ChannelGroup g = channels.group(w.v_begin);
          std::int64_t count = channels.whole_end() - w.v_begin;
          if (kShifts && s != nullptr) {
            for (std::int64_t i = s->head; i > 0; --i, next(w, g, 1)) one(g);
            const std::int64_t c = w.v_begin * kLanes + s->shift;
            g = {c, s->weights, s->bias, c};
            count = s->count;
          }
          for (; V > 1 && count >= V; count -= V, next(w, g, V)) Slides::kRun[kernel](w, group.input, g, y);
          for (; count > 0; --count, next(w, g, 1)) one(g);
          if (kShifts && s != nullptr) {
            if (s->tail > 0) one(channels.group(w.v_end - 1));
          } else if (channels.last()) {
            one(channels.last_group());
          }
        });
  }

  static void next(const DepthwiseWork& w, ChannelGroup& g, std::int64_t vectors) {
    g = {g.x + vectors * w.x_vector, g.weights + vectors * kTaps * kLanes, g.bias + vectors * kLanes, g.y + vectors * kLanes};
  }
};

/// Tiles of at most TH x TW outputs, of strips of channels that leave in the level-1 cache what the next tile reads again; all channels of
/// a tile before the next, V vectors at a time.
template <class F, int TH, int TW, int V>
struct LeanTiled {
  using Indices = std::make_integer_sequence<int, TH * TW * RowCases<F>::kCount>;
  /// Vectors of a strip: as many as take 1 KB of a pixel, half of that for larger filters.
  static constexpr std::int64_t kStrip = (F::KH > 3 ? 128 : 256) / kLanes;
  static constexpr std::int64_t kTaps = F::KH * F::KW;
  /// Whether vectors begin at cache lines where pixels do not: not worth the code for what waits for arithmetic, or slides.
  static constexpr bool kShifts = kLanes >= 8 && (kRegisters == 32 ? F::KH < 7 && F::SH == 2 : F::KH == 3);

  static void run(const DepthwiseWork& w) {
    if constexpr (kShifts) {
      if (const std::int64_t shift = shift_to_lines(w); shift > 0) return shifted_strips(w, shift, kStrip, rows);
    }
    rows(w, nullptr);
  }

 private:
  [[gnu::noinline, gnu::noclone]] static void rows(const DepthwiseWork& w, const ShiftedStrip* shifted) {
    const LeanChannels<F> channels(w);
    for_lean_groups<F, TH>(
        w, channels, [&](const RowGroup<F, TH>& group, float* y) __attribute__((always_inline)) {
          for (std::int64_t v = w.v_begin, v_end = 0; v < w.v_end; v = v_end) {
            v_end = shifted == nullptr && v + kStrip < w.v_end ? v + kStrip : w.v_end;
            for (std::int64_t ox = 0, width = 0, tiles = 0; ox < w.out_width; ox += width * tiles) {
              width = even_group(w.out_width - ox, TW);
              tiles = together(w, ox, width);
              tile(w, channels, v, v_end, group, ox, width, tiles, y, shifted);
            }
          }
        });
  }

  static constexpr std::int64_t kStep = TW * F::SW;  ///< columns from one tile to the next

  /// Tiles from output ox on that one call computes: of the first and the last some columns may not exist.
  static std::int64_t together(const DepthwiseWork& w, std::int64_t ox, std::int64_t width) {
    const std::int64_t second = ox * F::SW - w.pad_left + kStep, rest = w.width - second - LeanTile<F, TH, TW>::kColumns;
    if (!LeanTile<F, TH, TW>::kManyTiles || width < TW || second < 0) return 1;
    return at_most((rest < 0 ? 0 : rest / kStep + 1) + 2, (w.out_width - ox) / TW);
  }
  /// Those of its input columns that exist, a bit each.
  static std::uint32_t columns_of(const DepthwiseWork& w, std::int64_t first, std::int64_t width) {
    const int count = static_cast<int>(width - 1) * F::SW + F::KW;
    return (~0U << clamp_to(-first, count)) & ((1U << clamp_to(w.width - first, count)) - 1);
  }

  /// Vectors [v, v_end) of some tiles.
  static void tile(const DepthwiseWork& w, const LeanChannels<F>& channels, std::int64_t v, std::int64_t v_end,
                   const RowGroup<F, TH>& group, std::int64_t ox, std::int64_t width, std::int64_t tiles, float* y, const ShiftedStrip* s) {
    const std::int64_t kernel = ((group.height - 1) * TW + width - 1) * RowCases<F>::kCount + group.rows_case;
    const std::int64_t first = ox * F::SW - w.pad_left, x = first * w.x_pixel;
    std::uint32_t columns = columns_of(w, first, width);
    if (tiles > 1) columns |= columns_of(w, first + (tiles - 1) * kStep, TW) << 16;
    const auto at = [&](ChannelGroup g) __attribute__((always_inline)) {
      g.x += x;
      g.y += ox * w.y_pixel;
      return g;
    };
    if (kShifts && s != nullptr) {
      const std::int64_t c = v * kLanes + s->shift;
      const ChannelGroup groups[] = {channels.group(v), {c, s->weights, s->bias, c}, channels.group(v_end - 1)};
      const std::int64_t counts[] = {s->head, s->count, s->tail};
#pragma GCC unroll 1
      for (int i = 0; i < 3; ++i) vectors(w, group.input, kernel, at(groups[i]), columns, counts[i], y, tiles);
      return;
    }
    const std::int64_t whole_end = v_end < channels.whole_end() ? v_end : channels.whole_end();
    vectors(w, group.input, kernel, at(channels.group(v)), columns, whole_end - v, y, tiles);
    if (v_end > whole_end && channels.last()) vectors(w, group.input, kernel, at(channels.last_group()), columns, 1, y, tiles);
  }

  static void vectors(const DepthwiseWork& w, const float* const* input, std::int64_t kernel, ChannelGroup g, std::uint32_t columns,
                      std::int64_t n, float* y, std::int64_t tiles) {
    if constexpr (V > 1) {
      const std::int64_t groups = n / V, done = groups * V;
      if (groups > 0) LeanTiles<F, TW, V, Indices>::kRun[kernel](w, input, g, columns, groups, y, tiles);
      g = {g.x + done * w.x_vector, g.weights + done * kTaps * kLanes, g.bias + done * kLanes, g.y + done * kLanes};
      n -= done;
    }
    if (n > 0) LeanTiles<F, TW, 1, Indices>::kRun[kernel](w, input, g, columns, n, y, tiles);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
