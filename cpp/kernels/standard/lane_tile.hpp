// A register tile whose lanes are not output channels: vectors of groups, or of positions, by output columns.
#pragma once

#include "kernels/activation/epilogue.hpp"
#include "kernels/conv_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// `count` vectors of sums, `x_step` apart in the input and `y_step` in the output: input channels and output columns are planes.
struct LaneLine {
  const Segment* taps;  ///< {a, k, length}: the input of channel 0, the row of its weights, the channels
  std::int64_t tap_count;
  const float *x, *weights, *bias;
  std::int64_t x_plane, width;  ///< from one channel's inputs, and weights, to the next
  float* y;
  std::int64_t y_plane;
  std::int64_t x_step, y_step, count;
  float lo, hi;
};

/// Weights of a column: for each lane its own.
struct LaneWeights {
  static constexpr int kFloats = kLanes;
  [[gnu::always_inline]] static inline F32 at(const float* p) { return load(p); }
};

/// Vectors of a tile of N columns: as many as there are registers for.
constexpr int lane_vectors(int n) { return kRegisters == 32 ? (n == 4 ? 6 : n == 3 ? 8 : 12) : (n == 4 ? 3 : n == 3 ? 4 : n == 2 ? 6 : 8); }

template <class Weights, int M, int N>
[[gnu::flatten, gnu::noinline]] inline void lane_tiles(const LaneLine& t) {
  const F32 lo = broadcast(t.lo), hi = broadcast(t.hi);
  const std::int64_t s1 = t.x_step, s2 = 2 * s1, s3 = 3 * s1, plane = t.x_plane, width = t.width;
  for (std::int64_t i = 0; i < t.count; i += M) {
    const std::int64_t at = i < t.count - M ? i : t.count - M;
    const float* const first = t.x + at * s1;
    F32 acc[M][N];
    unroll<0, N>([&](auto n) {
      const F32 bias = Weights::at(t.bias + n * Weights::kFloats);
      unroll<0, M>([&](auto m) { acc[m][n] = bias; });
    });
    for (const Segment *tap = t.taps, *end = tap + t.tap_count; tap < end; ++tap) {
      const float *x = first + tap->a, *w = t.weights + tap->k * width;
      for (const float* const last = w + tap->length * width; w < last; w += width, x += plane) {
        const float* p = x;
        const auto input = [&](auto m) __attribute__((always_inline)) {
          if constexpr (m % 3 == 0 && m > 0) p = opaque(p + s3);
          return in_register(load(p + (m % 3 == 0 ? 0 : m % 3 == 1 ? s1 : s2)));
        };
        if constexpr (M < N) {
          F32 in[M];
          unroll<0, M>([&](auto m) __attribute__((always_inline)) { in[m] = input(m); });
          unroll<0, N>([&](auto n) __attribute__((always_inline)) {
            const F32 weight = in_register(Weights::at(w + n * Weights::kFloats));
            unroll<0, M>([&](auto m) __attribute__((always_inline)) { acc[m][n] = fma(in[m], weight, acc[m][n]); });
          });
        } else {
          F32 weights[N];
          unroll<0, N>([&](auto n) __attribute__((always_inline)) { weights[n] = in_register(Weights::at(w + n * Weights::kFloats)); });
          unroll<0, M>([&](auto m) __attribute__((always_inline)) {
            const F32 in = input(m);
            unroll<0, N>([&](auto n) __attribute__((always_inline)) { acc[m][n] = fma(in, weights[n], acc[m][n]); });
          });
        }
      }
    }
    float* y = t.y + at * t.y_step;
    unroll<0, M>([&](auto m) {
      unroll<0, N>([&](auto n) { store(y + n * t.y_plane, clip(acc[m][n], lo, hi)); });
      y += t.y_step;
    });
  }
}

/// The line in tiles as tall as it allows.
template <class Weights, int N>
inline void lane_line(const LaneLine& t) {
  constexpr int kMost = lane_vectors(N);
  if (t.count >= kMost) return lane_tiles<Weights, kMost, N>(t);
  if (kMost > 3 && t.count >= 3) return lane_tiles<Weights, 3, N>(t);
  lane_tiles<Weights, 1, N>(t);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
