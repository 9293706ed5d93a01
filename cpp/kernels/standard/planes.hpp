// Standard convolution of few output channels: lanes are positions of a row, not output channels, most of which would be none.
//
// Rows of the input become planes of their channels, and each meets the output rows that its taps belong to, from top to bottom, so that
// sums, planes too, have the order of a matrix product: rows of the filter, its columns, channels. Only positions that meet all taps of a
// row go this way.
#pragma once

#include "kernels/registry.hpp"
#include "kernels/standard/pieces.hpp"
#include "kernels/standard/taps.hpp"
#include "kernels/standard_work.hpp"
#include "kernels/tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

extern const KernelList unit_transpose;

/// Some taps of filter rows that meet the same input row, for a block of positions.
struct PlaneTaps {
  static constexpr int kMost = kRegisters == 32 ? 6 : 3;
  static constexpr int kHeld = kMost == 3 ? 5 : kMost;  ///< before kMost of them are added: of four, 2 and 2 take less than 3 and 1
  /// Of rows of two vectors, where six sums take 0.70 to 1.0 of the time of three, which wait for one another (Zen 3, 2026-11-30).
  static constexpr bool kShort = kRegisters == 16 && kLanes == 8;
  static constexpr int kMostShort = 6;
  float* sums[kMostShort];  ///< of an output column in the output row that the filter row is for
  const float* weights[kMostShort];
  const float* x;  ///< plane 0, at the first position of tap 0
  std::int64_t plane, tap, taps, channels;
  std::int64_t width;               ///< from one row of weights to the next
  std::int64_t begin, end, exists;  ///< positions that meet tap 0, and up to where there are any, counted from the block's first
};

/// Numbers of a tile's lanes.
struct PlaneLanes {
  float at[4 * kLanes] = {};
  constexpr PlaneLanes() {
    for (int i = 0; i < 4 * kLanes; ++i) at[i] = static_cast<float>(i);
  }
};
inline constexpr PlaneLanes kPlaneLanes;

/// Around a tap that some lanes do not meet these get back what they had. Taps by themselves took as much as 1.1 to 2.2 times the time.
template <int Sums, int V>
[[gnu::flatten, gnu::noinline]] inline void add_plane_taps(const PlaneTaps& t) {
  constexpr std::int64_t kPositions = V * kLanes;
  F32 acc[Sums][V];
  const float* weights[Sums];
  unroll<0, Sums>([&](auto s) {
    weights[s] = t.weights[s];
    unroll<0, V>([&](auto v) { acc[s][v] = load(t.sums[s] + v * kLanes); });
  });
  const std::int64_t width = t.width, plane = t.plane, rows = t.channels * width;
  const std::int64_t exist = t.exists < kPositions ? t.exists : kPositions;
  float kept[Sums * kPositions];
  for (std::int64_t k = 0; k < t.taps; ++k) {
    const std::int64_t begin = t.begin - k * t.tap, end = t.end - k * t.tap;
    const bool misses = begin > 0 || end < exist;
    if (misses) {
      if (begin >= exist || end <= 0) continue;
      unroll<0, Sums * V>([&](auto i) { store(kept + i * kLanes, acc[i / V][i % V]); });
    }
    const float* x = t.x + k * t.tap;
    for (std::int64_t row = k * rows; row < (k + 1) * rows; row += width, x += plane) {
      if constexpr (Sums > PlaneTaps::kMost) {
        F32 in[V];
        unroll<0, V>([&](auto v) __attribute__((always_inline)) { in[v] = in_register(load(x + v * kLanes)); });
        unroll<0, Sums>([&](auto s) __attribute__((always_inline)) {
          const F32 weight = in_register(broadcast(weights[s][row]));
          unroll<0, V>([&](auto v) __attribute__((always_inline)) { acc[s][v] = fma(in[v], weight, acc[s][v]); });
        });
      } else {
        F32 weight[Sums];
        unroll<0, Sums>([&](auto s) __attribute__((always_inline)) { weight[s] = in_register(broadcast(weights[s][row])); });
        unroll<0, V>([&](auto v) __attribute__((always_inline)) {
          const F32 in = in_register(load(x + v * kLanes));
          unroll<0, Sums>([&](auto s) __attribute__((always_inline)) { acc[s][v] = fma(in, weight[s], acc[s][v]); });
        });
      }
    }
    if (!misses) continue;
    const F32 first = broadcast(static_cast<float>(begin)), behind = broadcast(static_cast<float>(end));
    unroll<0, V>([&](auto v) {
      const F32 at = load(kPlaneLanes.at + v * kLanes);
      unroll<0, Sums>([&](auto s) {
        const F32 had = load(kept + (s * V + v) * kLanes);
        acc[s][v] = select_less(at, first, had, select_less(at, behind, acc[s][v], had));
      });
    });
  }
  unroll<0, Sums * V>([&](auto i) { store(t.sums[i / V] + i % V * kLanes, acc[i / V][i % V]); });
}

/// All positions of a work, of one panel `width` floats wide.
class PlaneWalk {
 public:
  PlaneWalk(const StandardWork& w, std::int64_t width)
      : w_(w),
        width_(width),
        outputs_(w.gemm.columns),
        rows_(w.y_end - w.y_begin),
        read_(w.y_begin, rows_, w.kh, w.stride_h, w.dilation_h, w.pad_top, w.height),
        sizes_(w.out_width, w.channels, outputs_, w.kw, w.dilation_w),
        sums_(w.planes + sizes_.x_row) {}

  void run() {
    for (std::int64_t i = 0; i < sizes_.x_row; i += kLanes) store(w_.planes + i, broadcast(0.0F));
    for (std::int64_t i = 0; i < rows_ * outputs_; ++i) {
      for (std::int64_t p = 0; p < sizes_.y_plane; p += kLanes)
        store(sums_ + i * sizes_.y_plane + p, broadcast(w_.gemm.bias[i % outputs_]));
    }
    for (std::int64_t row = read_.begin; row < read_.end; ++row) {
      load_row(row);
      add_row(row);
    }
    for (std::int64_t row = 0; row < rows_; ++row) finish(sums_ + row * sizes_.y_row, w_.y_begin + row);
  }

 private:
  /// The input columns that this work reads, behind as many zeros as it has padding: those are computed with, but not stored.
  void load_row(std::int64_t row) const {
    const std::int64_t first = w_.pad_left < 0 ? -w_.pad_left : 0, to = w_.pad_left < 0 ? 0 : w_.pad_left;
    const std::int64_t reach = w_.out_width + (w_.kw - 1) * w_.dilation_w - to, exist = w_.width - first;
    const std::int64_t count = reach < exist ? reach : exist;
    if (count <= 0) return;
    if (w_.x_channel != 1) return copy_row(w_.gemm.a + (row * w_.x_row + first * w_.x_pixel), w_.planes + to, count);
    const TransposeWork t{w_.gemm.a + row * w_.x_row + first * w_.x_pixel, w_.planes + to, w_.x_pixel, sizes_.x_plane, count, w_.channels};
    unit_transpose.entries[0].run(&t);
  }

  /// Of an image of planes.
  void copy_row(const float* x, float* plane, std::int64_t count) const {
    for (std::int64_t c = 0; c < w_.channels; ++c) copy_floats(x + c * w_.x_channel, plane + c * sizes_.x_plane, count);
  }
  static void copy_floats(const float* from, float* to, std::int64_t count) {
    std::int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(to + i, load(from + i));
    for (; i < count; ++i) to[i] = from[i];
  }

  /// Every filter row that an input row meets, for every output column: those that meet all taps of a row, and those but for the first.
  void add_row(std::int64_t row) const {
    add_row(row, 0);
    if (w_.spread != nullptr && w_.spread->whole_pixels < w_.spread->pixels) add_row(row, 1);
  }

  void add_row(std::int64_t row, std::int64_t tap) const {
    const Spread* const s = w_.spread;
    const std::int64_t rest = tap * w_.dilation_w;
    PlaneTaps t{{}, {}, w_.planes + rest, sizes_.x_plane, w_.dilation_w, w_.kw - tap, w_.channels, width_, 0, 0, 0};
    const bool shortest = PlaneTaps::kShort && w_.out_width <= 2 * kLanes;
    int count = 0;
    for (std::int64_t kh = 0; kh < w_.kh; ++kh) {
      const std::int64_t at = row + w_.pad_top - kh * w_.dilation_h, oy = at / w_.stride_h;
      if (at < 0 || at % w_.stride_h != 0 || oy < w_.y_begin || oy >= w_.y_end) continue;
      float* const sums = sums_ + (oy - w_.y_begin) * sizes_.y_row;
      const float* const weights = w_.gemm.b + (kh * w_.kw + tap) * w_.channels * width_;
      // Pixels are counted: three divisions for each sum took 2 to 10 % of the time.
      const std::int64_t columns = s == nullptr || kh > 0 ? outputs_ : s->whole_rows * s->pixels * s->channels;
      for (std::int64_t c = 0, pixel = 0, end = outputs_; c < columns; c = end, ++pixel) {
        if (s != nullptr) {
          if (pixel == s->pixels) pixel = 0;
          end = c + s->channels;
          if ((pixel >= s->whole_pixels) != (tap > 0)) continue;
        }
        for (; c < end; ++c) {
          t.sums[count] = sums + c * sizes_.y_plane;
          t.weights[count] = weights + c;
          ++count;
          if (shortest) {
            if (count < PlaneTaps::kMostShort) continue;
            if constexpr (PlaneTaps::kShort) add<PlaneTaps::kMostShort>(t, 0, rest);
            count = 0;
            continue;
          }
          if (count < PlaneTaps::kHeld) continue;
          add<PlaneTaps::kMost>(t, 0, rest);
          count -= PlaneTaps::kMost;
          if constexpr (PlaneTaps::kHeld > PlaneTaps::kMost) {
            for (int i = 0; i < count; ++i) {
              t.sums[i] = t.sums[i + PlaneTaps::kMost];
              t.weights[i] = t.weights[i + PlaneTaps::kMost];
            }
          }
        }
      }
    }
    int done = 0;
    if (PlaneTaps::kMost == 3 && count == 4) {
      add<2>(t, 0, rest);
      done = 2;
    } else if (count >= 3) {
      add<3>(t, 0, rest);
      done = 3;
    }
    if (count - done == 2) add<2>(t, done, rest);
    if (count - done == 1) add<1>(t, done, rest);
  }

  /// Of a tile, the first of those for so many positions: with few registers 49 positions are 32 and 24, not 32, 16 and 16.
  static int vectors_of(std::int64_t positions) {
    constexpr std::int64_t kWidest = 4 * kLanes;
    if (kRegisters == 32) return positions > 2 * kLanes ? 4 : 2;
    const std::int64_t tiles = (positions + kWidest - 1) / kWidest, each = (positions + tiles - 1) / tiles;
    return each > 3 * kLanes ? 4 : each > 2 * kLanes ? 3 : 2;
  }

  /// `Sums` sums from `first` on, at all positions; `rest` columns of the input lie before the first tap.
  template <int Sums>
  [[gnu::noinline]] void add(const PlaneTaps& all, int first, std::int64_t rest) const {
    for (std::int64_t p = 0; p < w_.out_width;) {
      PlaneTaps t = all;
      for (int i = 0; i < Sums; ++i) {
        t.sums[i] = all.sums[first + i] + p;
        t.weights[i] = all.weights[first + i];
      }
      t.x += p;
      const int vectors = vectors_of(w_.out_width - p);
      const std::int64_t positions = std::int64_t{vectors} * kLanes;
      t.exists = w_.out_width - p;
      t.begin = w_.pad_left - rest - p;
      t.end = t.begin + w_.width;
      constexpr int kThree = kRegisters == 32 ? 4 : 3;  // of as many as there are
      if constexpr (Sums > PlaneTaps::kMost) {
        add_plane_taps<Sums, 2>(t);
      } else
        (vectors == 4 ? add_plane_taps<Sums, 4> : vectors == 3 ? add_plane_taps<Sums, kThree> : add_plane_taps<Sums, 2>)(t);
      p += positions;
    }
  }

  void finish(float* sums, std::int64_t oy) const {
    const GemmWork& w = w_.gemm;
    if (w.residual == nullptr) {
      if (w.activation.kind != ActivationKind::clip) {
        activate_block(sums, outputs_, sizes_.y_plane, w_.out_width, w.activation);
      } else if (w.activation.lo > -__builtin_inff() || w.activation.hi < __builtin_inff()) {
        const F32 lo = broadcast(w.activation.lo), hi = broadcast(w.activation.hi);
        for (std::int64_t i = 0; i < sizes_.y_row; i += kLanes) store(sums + i, clip(load(sums + i), lo, hi));
      }
    }
    if (w_.spread != nullptr) return spread_row(sums, oy);
    float* const y = w.y + oy * w_.y_row;
    if (w_.y_channel != 1) {
      for (std::int64_t c = 0; c < outputs_; ++c, sums += sizes_.y_plane) copy_floats(sums, y + c * w_.y_channel, w_.out_width);
      return;
    }
    interleave(sums, sizes_.y_plane, outputs_, w_.out_width, y, w_.y_pixel);
    if (w.residual != nullptr) {
      add_block(w.residual + oy * w_.residual_row, w_.residual_pixel, y, w_.out_width, w_.y_pixel, outputs_, w.activation);
    }
  }

  /// `planes` of `count` positions, `plane` apart, side by side in y, where a position begins `step` floats behind the one before.
  static void interleave(const float* from, std::int64_t plane, std::int64_t planes, std::int64_t count, float* y, std::int64_t step) {
    if (planes > 1 && (planes > 4 || step == planes)) {
      const TransposeWork t{from, y, plane, step, planes, count};
      return unit_transpose.entries[0].run(&t);
    }
    for (std::int64_t c = 0; c < planes; ++c, from += plane) {
      for (std::int64_t i = 0; i < count; ++i) y[i * step + c] = from[i];
    }
  }

  /// A row of positions to the rows of y that their columns belong to.
  void spread_row(const float* sums, std::int64_t oy) const {
    const Spread& s = *w_.spread;
    const std::int64_t run = s.pixels * s.channels;
    const WholePositions inside(s, w_.out_width);
    for (std::int64_t r = 0; r * run < outputs_; ++r, sums += run * sizes_.y_plane) {
      const std::int64_t row = oy * s.stride_h + s.first_h + r;
      if (row < 0 || row >= s.height) continue;
      float* const y = w_.gemm.y + row * s.row;
      const bool planes = w_.y_channel != 1;
      const std::int64_t apart = planes ? s.channels : 1, adjacent = planes ? 1 : s.channels;
      const auto store_pixels = [&](std::int64_t position, std::int64_t positions, std::int64_t pixel, std::int64_t pixels) {
        for (std::int64_t c = 0; c < apart; ++c) {
          interleave(sums + ((pixel * s.channels + c) * sizes_.y_plane + position), apart * sizes_.y_plane, pixels * adjacent, positions,
                     y + (c * w_.y_channel + (position * s.stride_w + s.first_w + pixel) * s.pixel), s.stride_w * s.pixel);
        }
      };
      const auto store_ends = [&](std::int64_t begin, std::int64_t stop) {
        for (std::int64_t p = begin; p < stop; ++p) {
          for (std::int64_t i = 0; i < s.pixels; ++i) {
            const std::int64_t at = p * s.stride_w + s.first_w + i;
            if (at >= 0 && at < s.width) store_pixels(p, 1, i, 1);
          }
        }
      };
      store_ends(0, inside.begin);
      const std::int64_t together = s.pixel == adjacent ? s.pixels : 1;
      for (std::int64_t i = 0; i < s.pixels; i += together) store_pixels(inside.begin, inside.end - inside.begin, i, together);
      store_ends(inside.end, w_.out_width);
    }
  }

  const StandardWork& w_;
  const std::int64_t width_, outputs_, rows_;
  const InputSpan read_;
  const PlaneSizes sizes_;
  float* const sums_;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
