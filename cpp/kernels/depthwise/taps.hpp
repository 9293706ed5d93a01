// Depthwise outputs by lists of taps: outputs that meet the same taps, a run of rows by a run of columns, go by tiles of twelve, four and
// one.
//
// A tile shares weights and no inputs, so it needs no loop but that over its list: blocks.hpp loads less and pays for it in instructions,
// which filters of few taps notice. Strides and dilation do not matter here, and a border costs what its shorter lists do.
#pragma once

#include <utility>

#include "kernels/depthwise/blocks.hpp"
#include "kernels/depthwise/pool.hpp"
#include "kernels/ranges.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The longest list; AVX2's of large filters.
constexpr std::int64_t kMostTaps = kLanes == 8 && kRegisters == 16 ? 100 : kFewTaps;

/// One tap of the first output of an area: floats from channel 0 of slot 0 to its input, and from a vector's first weight to its own.
struct Tap {
  std::int64_t x, weight;
};

/// Vectors [begin, end) of channels, and the taps that the outputs of an area meet.
struct TapWork {
  const DepthwiseWork* work;
  std::int64_t v_begin, v_end;
  const FourChannels* channels;         ///< of these vectors where there is a multiplier
  std::int64_t input, same, same_left;  ///< where vectors are of one input channel each: the first, and how many are of each and of it
  std::int64_t count;
  Tap taps[kMostTaps];
};

/// Floats of input and of output between two places of an area.
struct TapStep {
  std::int64_t x, y;
};

/// Tiles in a line: `outputs` of them, `step` apart, of which a tile takes `cover`; the last one is shifted back.
struct TapLine {
  const float* x;
  float* y;
  TapStep step, group, each;
  std::int64_t outputs, cover;
};

/// Vectors of channels that take part in a tile: of AVX2 two, so that whole cache lines are read and written. us of 12 outputs of one
/// vector / 6 of two (Zen 3, 2026-11-29): 28x28x256 2x2 s2 48 / 24, 100x32x64 1x3 s(1, 2) 42 / 37, 28x28x192 1x3 43 / 37, 56x56x64 2x2 s2
/// 25 / 22.
constexpr int kTapVectors = kLanes == 8 && kRegisters == 16 ? 2 : 1;

/// Tiles of `Groups` x `Each` outputs of V vectors; a last vector that is not whole goes alone.
template <int Groups, int Each, int V = 1, class Channels = WholeChannels>
[[gnu::flatten, gnu::noinline]] inline void tap_line(const TapWork& t, const TapLine& line) {
  constexpr bool kRepeats = Channels::kRepeats, kOne = Channels::kOne;
  const DepthwiseWork& w = *t.work;
  const F32 lo = broadcast(w.lo), hi = broadcast(w.hi);
  const std::int64_t vector = w.x_vector, all = w.kh * w.kw * kLanes, x_group = line.group.x, y_group = line.group.y;
  const std::int64_t x1 = line.each.x, x2 = 2 * x1, x3 = 3 * x1, y1 = line.each.y, y2 = 2 * y1, y3 = 3 * y1;
  const Tap *const taps = t.taps, *const end = taps + t.count;
  for (std::int64_t i = 0; i < line.outputs; i += line.cover) {
    const std::int64_t at = at_most(i, line.outputs - line.cover);
    const float* const x_at = line.x + at * line.step.x;
    const float *x = kRepeats ? x_at : x_at + (kOne ? t.input : t.v_begin * vector), *weights = w.weights + t.v_begin * all;
    float* y = line.y + at * line.step.y + t.v_begin * kLanes;
    const float *bias = w.bias + t.v_begin * kLanes, *const last = w.bias + t.v_end * kLanes;
    const FourChannels* channels = t.channels;
    std::int64_t same = kOne ? t.same_left : 0;
    for (; bias < last; bias += V * kLanes) {
      if constexpr (kRepeats) x = x_at + channels->first;
      F32 acc[Groups][Each][V];
      unroll<0, V>([&](auto v) {
        const F32 b = load(bias + v * kLanes);
        unroll<0, Groups * Each>([&](auto j) { acc[j / Each][j % Each][v] = b; });
      });
      for (const Tap* tap = taps; tap < end; ++tap) {
        const float* p = x + tap->x;
        F32 weight[V];
        unroll<0, V>([&](auto v) { weight[v] = in_register(load(weights + tap->weight + v * all)); });
        unroll<0, Groups>([&](auto g) __attribute__((always_inline)) {
          unroll<0, Each * V>([&](auto j) __attribute__((always_inline)) {
            constexpr int e = j / V, v = j % V;
            const float* const from = p + (e == 0 ? 0 : e == 1 ? x1 : e == 2 ? x2 : x3) + v * vector;
            F32 in;
            if constexpr (kRepeats) {
              in = (*channels)(from);
            } else if constexpr (kOne) {
              in = broadcast(*(p + (e == 0 ? 0 : e == 1 ? x1 : e == 2 ? x2 : x3)));
            } else {
              in = load(from);
            }
            acc[g][e][v] = fma(in, weight[v], acc[g][e][v]);
          });
          p = opaque(p + x_group);
        });
      }
      if constexpr (V == 1) {
        if (const int lanes = valid_lanes(w, (bias - w.bias) / kLanes); lanes < kLanes) {
          F32 sums[Groups * Each];
          unroll<0, Groups * Each>([&](auto j) { sums[j] = acc[j / Each][j % Each][0]; });
          finish_sums(sums, Each, Groups, w, y, y1, y_group, lanes);
          break;
        }
      }
      float* q = y;
      unroll<0, Groups>([&](auto g) __attribute__((always_inline)) {
        unroll<0, Each * V>([&](auto j) __attribute__((always_inline)) {
          constexpr int e = j / V, v = j % V;
          store(q + (e == 0 ? 0 : e == 1 ? y1 : e == 2 ? y2 : y3) + v * kLanes, clip(acc[g][e][v], lo, hi));
        });
        q = opaque(q + y_group);
      });
      ++channels;
      if constexpr (kOne) {
        same -= V;
        if (same == 0) {
          ++x;
          same = t.same;
        }
      } else {
        x += V * vector;
      }
      weights += V * all;
      y += V * kLanes;
    }
  }
}

/// Outputs of an axis from `first` on that meet the same taps, and these.
struct TapRun {
  std::int64_t end;
  TapRange taps;

  [[gnu::noinline]] TapRun(const Axis& a, std::int64_t first) : end(first + 1), taps(range(a, first)) {
    if (taps.end - taps.begin == a.taps) {  // of these there may be many
      end = at_least(at_most((a.size + a.pad - (a.taps - 1) * a.dilation - 1) / a.stride + 1, a.outputs), end);
      return;
    }
    for (; end < a.outputs; ++end) {
      const TapRange other = range(a, end);
      if (other.begin != taps.begin || other.end != taps.end) break;
    }
  }

 private:
  static TapRange range(const Axis& a, std::int64_t output) { return {output, a.stride, a.pad, a.dilation, a.taps, a.size}; }
};

/// A line of single outputs: in tiles of twelve, the rest in tiles of four.
template <class Channels = WholeChannels>
[[gnu::noinline]] inline void tap_outputs(const TapWork& t, const float* x, float* y, TapStep step, std::int64_t outputs) {
  TapLine line{x, y, step, {4 * step.x, 4 * step.y}, step, outputs, 12};
  if (outputs >= 12) {
    line.outputs = outputs % 12 > 8 ? outputs : outputs - outputs % 12;
    tap_line<3, 4, 1, Channels>(t, line);
    const std::int64_t done = at_most(line.outputs, outputs - 4);
    line.x += done * step.x;
    line.y += done * step.y;
    outputs = outputs == line.outputs ? 0 : outputs - done;
  }
  line.outputs = outputs;
  line.cover = outputs >= 4 ? 4 : 1;
  if (Channels::kShares && line.cover == 1) return tap_line<1, 1>(t, line);
  // With a multiplier each output four times, which is no code of its own.
  if (line.cover == 1) line.each = {0, 0};
  tap_line<1, 4, 1, Channels>(t, line);
}

/// Where an area's taps meet the input, and its outputs.
struct TapArea {
  const float* x;
  float* y;
  TapStep down, across;
};

/// Rows by tiles of three or four of them, what is left one by one.
template <class Channels = WholeChannels>
inline void tap_area(const TapWork& t, TapArea a, std::int64_t rows, std::int64_t columns) {
  if (columns < 3) {
    for (std::int64_t i = 0; i < columns; ++i) tap_outputs<Channels>(t, a.x + i * a.across.x, a.y + i * a.across.y, a.down, rows);
    return;
  }
  for (std::int64_t height = 0; rows > 0; rows -= height, a.x += height * a.down.x, a.y += height * a.down.y) {
    height = rows % 3 == 0 && columns > 3 ? 3 : rows >= 4 ? 4 : 1;
    if (height == 1) {
      tap_outputs<Channels>(t, a.x, a.y, a.across, columns);
    } else if (height == 4) {
      tap_line<3, 4, 1, Channels>(t, {a.x, a.y, a.across, a.across, a.down, columns, 3});
    } else {
      tap_line<3, 4, 1, Channels>(t, {a.x, a.y, a.across, a.down, a.across, columns, 4});
    }
  }
}

/// The same of whole pairs of vectors.
template <class Channels = WholeChannels>
inline void tap_area_of_pairs(const TapWork& t, TapArea a, std::int64_t rows, std::int64_t columns) {
  for (; rows >= 2 && columns >= 3; rows -= 2, a.x += 2 * a.down.x, a.y += 2 * a.down.y) {
    tap_line<2, 3, kTapVectors, Channels>(t, {a.x, a.y, a.across, a.down, a.across, columns, 3});
  }
  if (rows < columns) {
    std::swap(rows, columns);
    std::swap(a.down, a.across);
  }
  const TapStep threes{3 * a.down.x, 3 * a.down.y};
  for (; columns > 0; --columns, a.x += a.across.x, a.y += a.across.y) {
    const TapLine line{a.x, a.y, a.down, threes, a.down, rows, rows < 6 ? 1 : 6};
    rows < 6 ? tap_line<1, 1, kTapVectors, Channels>(t, line) : tap_line<2, 3, kTapVectors, Channels>(t, line);
  }
}

/// The taps of a run of rows and a run of columns, which begin at these.
[[gnu::noinline]] inline void list_taps(TapWork& t, const TapRange& rows, const TapRange& columns, const Axis& down, const Axis& across,
                                        std::int64_t row, std::int64_t column) {
  t.count = 0;
  for (std::int64_t kw = columns.begin; kw < columns.end; ++kw) {
    for (std::int64_t kh = rows.begin; kh < rows.end; ++kh) {
      const std::int64_t r = row * down.stride - down.pad + kh * down.dilation,
                         c = column * across.stride - across.pad + kw * across.dilation;
      t.taps[t.count++] = {(down.ring < down.size ? r % down.ring : r) * down.x + c * across.x, (kw * down.taps + kh) * kLanes};
    }
  }
}

/// All outputs; inner(row, rows, column, columns, v, v_end) does rows of those that meet all taps, as many as it returns.
template <class Channels = WholeChannels, class Inner>
inline void tap_tiles(const DepthwiseWork& w, const Axis& down, const Axis& across, std::int64_t v_begin, std::int64_t v_end,
                      const Inner& inner) {
  // Strips of large filters leave in the level-1 cache what the next tile reads again.
  constexpr std::int64_t kBand = 12, kStrip = 256 / kLanes;
  const std::int64_t taps = down.taps * across.taps;
  const std::int64_t strip = (taps <= kFewTaps / 2 || kMostTaps == kFewTaps ? 16 : at_least(512 / taps, 2)) * 16 / kLanes;
  // Of three to seven vectors a single one would walk the image again: 30x30x24 1x3 4.0 us, so 5.9.
  const std::int64_t vectors = v_end - v_begin, odd = vectors % kTapVectors;
  const bool pairs = Channels::kShares && kTapVectors > 1 && vectors >= 4 && (odd == 0 || vectors >= 8) && v_end * kLanes <= w.channels;
  std::int64_t pairs_end = pairs ? v_end - odd : v_begin;
  std::int64_t same = 0;
  if constexpr (Channels::kOne) {
    same = w.multiplier == w.channels ? 2 * v_end : w.multiplier / kLanes;
    if (same % 2 == 0 && v_begin % 2 == 0) pairs_end = v_begin + (at_most(v_end, w.channels / kLanes) - v_begin) / 2 * 2;
  }
  for (std::int64_t row = 0; row < down.outputs;) {
    const TapRun rows(down, row);
    std::int64_t height = 0;
    for (; row < rows.end; row += height) {
      height = rows.end - row;
      height = down.ring < down.size ? 1 : height < kBand + 4 ? height : kBand;
      for (std::int64_t v = v_begin, v_next = 0; v < v_end; v = v_next) {
        v_next = at_most(v + strip, v < pairs_end ? pairs_end : v_end);
        FourChannels channels[Channels::kRepeats ? kStrip : 1];
        if (Channels::kRepeats) {
          for (std::int64_t i = v; i < v_next; ++i) channels[i - v] = FourChannels(w, i);
        }
        TapWork t{&w, v, v_next, channels, 0, 0, 0, 0, {}};
        if constexpr (Channels::kOne) {
          t.input = v / same;
          t.same = same;
          t.same_left = (t.input + 1) * same - v;
        }
        for (std::int64_t column = 0; column < across.outputs;) {
          const TapRun columns(across, column);
          const std::int64_t whole = (rows.taps.end - rows.taps.begin) * (columns.taps.end - columns.taps.begin);
          const std::int64_t done = whole == down.taps * across.taps ? inner(row, height, column, columns.end, t.v_begin, t.v_end) : 0;
          if (done < height) {
            const TapStep next_row{down.stride * down.x, down.y}, next_column{across.stride * across.x, across.y};
            list_taps(t, rows.taps, columns.taps, down, across, row, column);
            const TapArea area{w.x + done * next_row.x, w.y + (row + done) * down.y + column * across.y, next_row, next_column};
            if constexpr (Channels::kRepeats) {
              tap_area<Channels>(t, area, height - done, columns.end - column);
            } else {
              (v < pairs_end ? tap_area_of_pairs<Channels> : tap_area<Channels>)(t, area, height - done, columns.end - column);
            }
          }
          column = columns.end;
        }
      }
      finish_rows(w, row, static_cast<int>(height), v_begin, v_end);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
