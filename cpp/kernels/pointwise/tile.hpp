// The matrix-product micro-kernel: MR pixels x NV vectors of output channels in registers, inputs read in place, weights from a panel.
//
// Every output is one chain of fused multiply-adds over k in order, so no tile shape or split changes a bit of it.
#pragma once

#include "kernels/pointwise/half.hpp"
#include "kernels/row_addresses.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr std::int64_t kLineBytes = 64;

/// Weights or inputs that are wanted next, fetched to the level-2 cache next to the products: after each `steps` of k a line, and the one
/// `later` bytes behind it; then `each` bytes further.
struct Ahead {
  const char* at;
  std::int64_t steps, later, each = kLineBytes;
};

/// Steps of k in a round of a tile's loop. A step of 6x16 is 20 instructions and a round 4 more, for 12 multiply-adds in 6 cycles. Alone on
/// a core that costs nothing; next to another thread of it, which takes half of the instructions that start in a cycle, four steps at once
/// reach 6 to 14 % more (AMD EPYC, Zen 3, 2026-11-29). Low tiles only where they fetch, whose rounds are four steps: 7x128->256 gains 4 %.
constexpr int kStepsAtOnce = kRegisters == 16 && kLanes == 8 ? 4 : 1;
constexpr int steps_at_once(int rows, int vectors, bool fetches) {
  return (fetches || rows * vectors >= 10) && vectors < 3 ? kStepsAtOnce : 1;
}

/// `count` tiles of MR rows each, in one panel.
struct GemmTiles {
  const float* a;
  std::int64_t a_row;
  const Segment* segments;
  std::int64_t segment_count;
  const float* b;
  const float* bias;  ///< of the panel
  float* y;
  std::int64_t y_row, y_vector;
  const float* residual;
  std::int64_t residual_row;
  int last_lanes;  ///< columns of the panel's last vector that exist
  float lo, hi;
  std::int64_t count;
  Ahead ahead;
  bool far;  ///< tiles that fetch do so with their rows of y, two tiles ahead
};

/// Rows of an output, `row` floats apart.
template <class Float>
struct EvenRows {
  Float* first;
  std::int64_t row;

  template <int M>
  [[gnu::always_inline]] inline Float* at() const {
    return first + M * row;
  }
};

/// The first `lanes` of a vector's. No masks: several branches, which are not worth a copy in each row of each tile.
[[gnu::noinline]] inline void store_part(float* p, const float* from, int lanes) { store_first(p, load(from), lanes); }

/// MR pixels x NV whole vectors, and half a vector more where the panel has one. Rows are what has at<M>(), the address of row M.
template <int MR, int NV, class Half>
struct GemmTile {
  static constexpr int kWidth = NV * kLanes + Half::kFloats;  ///< floats in a row of the panel
  F32 acc[MR][NV > 0 ? NV : 1];
  Half half;

  [[gnu::always_inline]] inline void set(const float* bias) {
#pragma GCC unroll 14
    for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) acc[m][j] = load(bias + j * kLanes);
    }
    half.set(bias + NV * kLanes);
  }

  template <class Rows>
  [[gnu::always_inline]] inline void set_from(const Rows& rows) {
    unroll<0, MR>([&](auto m) { unroll<0, NV>([&](auto j) { acc[m][j] = load(rows.template at<m>() + j * kLanes); }); });
    half.set_from(rows, NV * kLanes);
  }

  /// += a[rows][0..kSteps) * b[0..kSteps)[columns]; both advance.
  template <int kSteps, class Rows>
  [[gnu::always_inline]] inline void multiply_steps(Rows& rows, const float*& b) {
    unroll<0, kSteps>([&](auto k) {
      F32 w[NV > 0 ? NV : 1];
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) w[j] = load(b + k * kWidth + j * kLanes);
      half.begin(b + k * kWidth + NV * kLanes);
      unroll<0, MR>([&](auto m) {
        const F32 x = broadcast(rows.template at<m>()[k]);
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
          if constexpr (kSteps > 1) {
            acc[m][j] = fma_in_place(x, w[j], acc[m][j]);
          } else {
            acc[m][j] = fma(x, w[j], acc[m][j]);
          }
        }
        half.template multiply<m>(x);
      });
    });
    rows.advance(kSteps);
    b = opaque(b + kSteps * kWidth);
  }

  /// += a[rows][0..length) * b[0..length)[columns]; both advance.
  template <bool kFetches = false, class Rows>
  [[gnu::always_inline]] inline void multiply(Rows& rows, const float*& b, std::int64_t length) {
    std::int64_t k = 0;
    if constexpr (constexpr int kSteps = steps_at_once(MR, NV, kFetches); kSteps > 1) {
      for (; k + kSteps <= length; k += kSteps) multiply_steps<kSteps>(rows, b);
    }
#pragma GCC unroll 1
    for (; k < length; ++k) multiply_steps<1>(rows, b);
  }

  /// The same, next to fetching what is wanted next.
  template <class Rows>
  [[gnu::always_inline]] inline void multiply(Rows& rows, const float*& b, std::int64_t length, Ahead& ahead) {
    for (; length > 0; length -= ahead.steps) {
      multiply<true>(rows, b, length < ahead.steps ? length : ahead.steps);
      __builtin_prefetch(ahead.at, 0, 2);
      __builtin_prefetch(ahead.at + ahead.later, 0, 2);
      ahead.at += ahead.each;
    }
  }

  /// The last vector of a panel goes through a mask, or in pieces, when not all of its columns exist.
  template <class Rows>
  [[gnu::always_inline]] inline void add_residual(const Rows& rows, int last_lanes) {
    unroll<0, MR>([&](auto m) {
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) {
        const float* p = rows.template at<m>() + j * kLanes;
        acc[m][j] = add(acc[m][j], !Half::kExists && j == NV - 1 ? load_up_to(p, last_lanes) : load(p));
      }
    });
    half.add_residual(rows, NV * kLanes, last_lanes);
  }

  /// Each bound costs as much as one more k on processors that compare in their FMA units: infinite bounds are skipped.
  [[gnu::always_inline]] inline void clip(float lo, float hi) {
    const auto each = [&](auto f) {
#pragma GCC unroll 14
      for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) acc[m][j] = f(acc[m][j]);
      }
    };
    if (lo > -__builtin_inff()) each([l = broadcast(lo)](F32 v) { return max_or_second(l, v); });
    if (hi < __builtin_inff()) each([h = broadcast(hi)](F32 v) { return min_or_second(h, v); });
    half.clip(lo, hi);
  }

  /// Each vector of all rows has one address, and all have the same strides: an address a store would not fit the general registers, and
  /// GCC keeps some in vector registers then, by way of the ports of the multiply-adds. 28x28 16->64 reaches 138 GFLOP/s so, 127 otherwise.
  template <class Rows>
  [[gnu::always_inline]] inline void store(const Rows& rows, std::int64_t vector, int last_lanes) const {
    Rows at[NV > 0 ? NV : 1];
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) at[j] = rows, at[j].advance(j * vector);
    const auto each = [&](auto last) {
      unroll<0, MR>([&](auto m) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
          if (j == NV - 1) {
            last(m, at[j].template at<m>(), acc[m][j]);
          } else {
            DWSEP_ISA_NAMESPACE::store(at[j].template at<m>(), acc[m][j]);
          }
        }
      });
    };
    if (Half::kExists || last_lanes == kLanes) {
      each([](auto, float* p, F32 v) { DWSEP_ISA_NAMESPACE::store(p, v); });
    } else if constexpr (kMasks) {
      each([&](auto, float* p, F32 v) { store_first(p, v, last_lanes); });
    } else if constexpr (NV > 0) {
      float parts[MR][kLanes];
      each([&](auto m, float*, F32 v) { DWSEP_ISA_NAMESPACE::store(parts[m], v); });
      unroll<0, MR>([&](auto m) { store_part(at[NV - 1].template at<m>(), parts[m], last_lanes); });
    }
    half.store(rows, NV * vector, last_lanes);
  }

  /// All lanes, whether their columns exist or not.
  template <class Rows>
  [[gnu::always_inline]] inline void store_whole(const Rows& rows) const {
    unroll<0, MR>(
        [&](auto m) { unroll<0, NV>([&](auto j) { DWSEP_ISA_NAMESPACE::store(rows.template at<m>() + j * kLanes, acc[m][j]); }); });
    half.store(rows, NV * kLanes, kLanes / 2);
  }
};

/// Whether tiles fetch inputs and rows of y that are far: measured with AVX2 only.
constexpr bool kFetchesFar = kStepsAtOnce > 1;

/// Fetches rows of y to be written, both lines of each, as it may begin anywhere in one. Fetching them to be read, or one of the two, gains
/// nothing. us before / now, far from caches: 3600x64->577 5,640 / 3,620, ->584 4,070 / 3,800, ->576 3,980 / 3,620, 12544x64->90 2,840 /
/// 2,270 (AMD EPYC, Zen 3, 2026-11-29, interleaved). Intel's processors with AVX2 know the instruction, or do nothing.
template <int MR, class Rows>
[[gnu::always_inline]] inline void fetch_rows([[maybe_unused]] const Rows& rows) {
#if defined(__x86_64__) || defined(__i386__)
  unroll<0, MR>([&](auto m) {
    const float* const row = rows.template at<m>();
    asm volatile("prefetchw %0" : : "m"(row[0]));
    asm volatile("prefetchw %0" : : "m"(row[2 * kLanes - 1]));
  });
#endif
}

template <int MR, int NV, class Half, bool kFetches>
[[gnu::flatten]] void gemm_tiles(const GemmTiles& t) {
  Ahead ahead = t.ahead;
  const float* a = t.a;
  const float* residual = t.residual;
  float* y = t.y;
  for (std::int64_t i = 0; i < t.count; ++i) {
    GemmTile<MR, NV, Half> tile;
    tile.set(t.bias);
    if constexpr (kFetches && kFetchesFar) {
      if (t.far) fetch_rows<MR>(RowAddresses<const float>(y + 2 * MR * t.y_row, t.y_row));
    }
    for (std::int64_t s = 0; s < t.segment_count; ++s) {
      RowAddresses<const float> rows(a + t.segments[s].a, t.a_row);
      const float* b = t.b + t.segments[s].k * tile.kWidth;
      if constexpr (kFetches) {
        tile.multiply(rows, b, t.segments[s].length, ahead);
      } else {
        tile.multiply(rows, b, t.segments[s].length);
      }
    }
    if (residual != nullptr) {
      tile.add_residual(EvenRows<const float>{residual, t.residual_row}, t.last_lanes);
      residual += MR * t.residual_row;
    }
    tile.clip(t.lo, t.hi);
    tile.store(RowAddresses<float>(y, t.y_row), t.y_vector, t.last_lanes);
    a += MR * t.a_row;
    y += MR * t.y_row;
  }
}

using GemmTileFunction = void (*)(const GemmTiles&);

/// Rows of a tile NV vectors wide: what the registers hold, but no more than 7. Taller tiles reload the weights less often, which does
/// not matter, and have longer prologues and epilogues: 7x32 beats 14x32 by 1-2 % from K = 16 to K = 256.
constexpr int max_tile_rows(int vectors) {
  const int most = vectors == 1 ? 14 : 7;
  const int rows = (kRegisters - 1 - vectors) / vectors;
  return rows < most ? rows : most;
}

/// Rows of tiles that fetch what is wanted next; plain SSE has none. Lower tiles than five rows were timed with AVX2 only, with 16 MB of
/// weights: 8 rows 256->1024 gain 1.4 by least times and 1.9 by medians, 13 rows 96->576 1.1 and 1.6. With weights in the level-2 cache 7
/// to 14 rows take 0.97 to 1.05 of the time. One tile alone would gain 1.1 to 1.3, and lose 3 to 5 % (Zen 3, 2026-11-30).
constexpr int kLeastFetchingRows = kStepsAtOnce > 1 ? 3 : 5, kMostFetchingRows = kRegisters * kLanes > 64 ? max_tile_rows(2) : 0;

/// The same for half panels, by their whole vectors.
constexpr int max_half_tile_rows(int vectors) { return vectors == 2 ? 8 : 14; }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
