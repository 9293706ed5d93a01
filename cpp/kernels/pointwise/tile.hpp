// The matrix-product micro-kernel: MR pixels x NV vectors of output channels in registers, inputs read in place, weights from a panel.
//
// Every output is one chain of fused multiply-adds over k in order, so no tile shape or split changes a bit of it.
//
// Half panels: 24 or 40 columns leave half of the last vector idle. Such a panel holds its last columns twice, and a vector works on them
// for two pixels at once: 3 FMAs for two pixels of 24 columns, where padding would take 4.
#pragma once

#include "kernels/table.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

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
};

/// Addresses of up to 18 rows from two pointers and four strides: x86 scales an index by 1, 2, 4 or 8, so strides of 1, 3, 5 and 7 rows
/// reach nine rows from one pointer. Opaque, because the compiler would otherwise keep a pointer a row and spill them.
struct RowAddresses {
  const char* base[2];
  std::int64_t s1, s3, s5, s7;

  [[gnu::always_inline]] inline RowAddresses(const float* a, std::int64_t row) {
    s1 = opaque(row * static_cast<std::int64_t>(sizeof(float)));
    s3 = opaque(3 * s1);
    s5 = opaque(5 * s1);
    s7 = opaque(7 * s1);
    base[0] = reinterpret_cast<const char*>(a);
    base[1] = base[0] + 9 * s1;
  }
  template <int Row>
  [[gnu::always_inline]] inline const float* at() const {
    constexpr int r = Row % 9;
    const char* p = base[Row / 9];
    if constexpr (r == 3 || r == 6) {
      p += s3 * (r / 3);
    } else if constexpr (r == 5) {
      p += s5;
    } else if constexpr (r == 7) {
      p += s7;
    } else {
      p += s1 * r;
    }
    return reinterpret_cast<const float*>(p);
  }
  [[gnu::always_inline]] inline void advance(std::int64_t floats) {
    base[0] = opaque(base[0] + floats * static_cast<std::int64_t>(sizeof(float)));
    base[1] = opaque(base[1] + floats * static_cast<std::int64_t>(sizeof(float)));
  }
};

/// The accumulators of a tile: NV whole vectors for each of MR pixels and, in a half panel, one vector for each pair of pixels.
template <int MR, int NV, bool kHalf>
struct Accumulators {
  static constexpr int kPairs = kHalf ? (MR + 1) / 2 : 0;
  static constexpr int kWidth = (NV + (kHalf ? 1 : 0)) * kLanes;  ///< floats in a row of the panel
  Vec whole[MR][NV > 0 ? NV : 1];
  Vec pair[kPairs > 0 ? kPairs : 1];

  [[gnu::always_inline]] inline void set(const float* bias) {
    unroll<0, MR>([&](auto m) { unroll<0, NV>([&](auto j) { whole[m][j] = load(bias + j * kLanes); }); });
    unroll<0, kPairs>([&](auto p) { pair[p] = load(bias + NV * kLanes); });
  }

  /// += a[rows][0..length) * b[0..length)[columns]
  [[gnu::always_inline]] inline void multiply(const float* a, std::int64_t a_row, const float* b, std::int64_t length) {
    RowAddresses rows(a, a_row);
    for (std::int64_t k = 0; k < length; ++k) {
      Vec w[NV + 1];
      unroll<0, NV + (kHalf ? 1 : 0)>([&](auto j) { w[j] = load(b + j * kLanes); });
      Vec before;
      unroll<0, MR>([&](auto m) {
        const Vec x = broadcast(*rows.template at<m>());
        unroll<0, NV>([&](auto j) { whole[m][j] = fma(x, w[j], whole[m][j]); });
        if constexpr (kHalf && m % 2 == 1) pair[m / 2] = fma(join_halves(before, x), w[NV], pair[m / 2]);
        if constexpr (kHalf && m + 1 == MR && m % 2 == 0) pair[m / 2] = fma(x, w[NV], pair[m / 2]);
        before = x;
      });
      rows.advance(1);
      b = opaque(b + kWidth);
    }
  }

  /// f(accumulator) for all of them.
  template <class F>
  [[gnu::always_inline]] inline void each(const F& f) {
    unroll<0, MR>([&](auto m) { unroll<0, NV>([&](auto j) { whole[m][j] = f(whole[m][j]); }); });
    unroll<0, kPairs>([&](auto p) { pair[p] = f(pair[p]); });
  }
};

/// The last vector of a panel goes through a mask, or in pieces, when not all of its columns exist.
template <int MR, int NV, bool kHalf>
[[gnu::always_inline]] inline void add_residual(Accumulators<MR, NV, kHalf>& acc, const float* r, std::int64_t row, int last_lanes) {
  unroll<0, MR>([&](auto m) {
    unroll<0, NV>([&](auto j) {
      const float* p = r + m * row + j * kLanes;
      acc.whole[m][j] = add(acc.whole[m][j], !kHalf && j == NV - 1 ? load_up_to(p, last_lanes) : load(p));
    });
  });
  unroll<0, acc.kPairs>([&](auto p) {
    const float* first = r + 2 * p * row + NV * kLanes;
    acc.pair[p] = add(acc.pair[p], load_halves(first, 2 * p + 1 < MR ? first + row : first, last_lanes));
  });
}

template <int MR, int NV, bool kHalf>
[[gnu::always_inline]] inline void store_tile(const Accumulators<MR, NV, kHalf>& acc, const GemmTiles& t, float* y) {
  unroll<0, MR>([&](auto m) {
    unroll<0, NV>([&](auto j) {
      float* p = y + m * t.y_row + j * t.y_vector;
      if constexpr (!kHalf && j == NV - 1) {
        store_up_to(p, acc.whole[m][j], t.last_lanes);
      } else {
        store(p, acc.whole[m][j]);
      }
    });
  });
  unroll<0, acc.kPairs>([&](auto p) {
    float* first = y + 2 * p * t.y_row + NV * t.y_vector;
    store_lower(first, acc.pair[p], t.last_lanes);
    if constexpr (2 * p + 1 < MR) store_upper(first + t.y_row, acc.pair[p], t.last_lanes);
  });
}

template <int MR, int NV, bool kHalf>
[[gnu::flatten]] void gemm_tiles(const GemmTiles& t) {
  const float* a = t.a;
  const float* residual = t.residual;
  float* y = t.y;
  for (std::int64_t i = 0; i < t.count; ++i) {
    Accumulators<MR, NV, kHalf> acc;
    acc.set(t.bias);
    for (std::int64_t s = 0; s < t.segment_count; ++s) {
      acc.multiply(a + t.segments[s].a, t.a_row, t.b + t.segments[s].k * acc.kWidth, t.segments[s].length);
    }
    if (residual != nullptr) {
      add_residual(acc, residual, t.residual_row, t.last_lanes);
      residual += MR * t.residual_row;
    }
    // Each bound costs as much as one more k on processors that compare in their FMA units.
    if (t.lo > -__builtin_inff()) acc.each([lo = broadcast(t.lo)](Vec v) { return max_or_second(lo, v); });
    if (t.hi < __builtin_inff()) acc.each([hi = broadcast(t.hi)](Vec v) { return min_or_second(hi, v); });
    store_tile(acc, t, y);
    a += MR * t.a_row;
    y += MR * t.y_row;
  }
}

using GemmTileFunction = void (*)(const GemmTiles&);

/// Rows of a tile NV vectors wide: what the registers hold, but no more than 7. Taller tiles reload the weights less often, which nobody
/// notices, and take longer to begin and to end: 7x32 beats 14x32 by 1-2 % from K = 16 to K = 256.
constexpr int max_tile_rows(int vectors) {
  const int most = vectors == 1 ? 14 : 7;
  const int rows = (kRegisters - 1 - vectors) / vectors;
  return rows < most ? rows : most;
}

/// The same for half panels, by their whole vectors. An even number, so that every pixel has its pair.
constexpr int max_half_tile_rows(int vectors) { return vectors == 2 ? 8 : 14; }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
