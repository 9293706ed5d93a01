// The matrix-product micro-kernel: MR pixels x NV vectors of output channels in registers, inputs read in place, weights from a panel.
//
// Every output is one chain of fused multiply-adds over k in order, so no tile shape or split changes a bit of it.
#pragma once

#include "kernels/table.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// `count` tiles of MR rows each, in one panel.
struct GemmTiles {
  const float* a;
  std::int64_t a_row;
  const Segment* segments;
  std::int64_t segment_count, segment_length;
  const float* b;
  const float* init;        ///< bias of the panel, or accumulators of an earlier pass
  std::int64_t init_row;    ///< 0 for a bias
  float* y;
  std::int64_t y_row, y_vector;
  const float* residual;
  std::int64_t residual_row;
  int last_lanes;           ///< columns of the panel's last vector that exist
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

/// acc += a[rows][0..length) * b[0..length)[columns]
template <int MR, int NV>
[[gnu::always_inline]] inline const float* multiply(Vec (&acc)[MR][NV], const float* a, std::int64_t a_row, const float* b, std::int64_t length) {
  RowAddresses rows(a, a_row);
  for (std::int64_t k = 0; k < length; ++k) {
    Vec w[NV];
    unroll<0, NV>([&](auto j) { w[j] = load(b + j * kLanes); });
    unroll<0, MR>([&](auto m) {
      const Vec x = broadcast(*rows.template at<m>());
      unroll<0, NV>([&](auto j) { acc[m][j] = fma(x, w[j], acc[m][j]); });
    });
    rows.advance(1);
    b = opaque(b + NV * kLanes);
  }
  return b;
}

/// The last vector of a panel goes through a mask, or in pieces, when not all of its columns exist.
template <int NV>
[[gnu::always_inline]] inline Vec load_column(const float* p, int j, int last_lanes) {
  return j == NV - 1 ? load_up_to(p, last_lanes) : load(p);
}

template <int MR, int NV>
[[gnu::flatten]] void gemm_tiles(const GemmTiles& t) {
  const float* a = t.a;
  const float* init = t.init;
  const float* residual = t.residual;
  float* y = t.y;
  for (std::int64_t i = 0; i < t.count; ++i) {
    Vec acc[MR][NV];
    if (t.init_row == 0) {
      unroll<0, NV>([&](auto j) {
        const Vec bias = load(init + j * kLanes);
        unroll<0, MR>([&](auto m) { acc[m][j] = bias; });
      });
    } else {
      unroll<0, MR>([&](auto m) { unroll<0, NV>([&](auto j) { acc[m][j] = load(init + m * t.init_row + j * kLanes); }); });
    }
    for (std::int64_t s = 0; s < t.segment_count; ++s) {
      multiply<MR, NV>(acc, a + t.segments[s].a, t.a_row, t.b + t.segments[s].k * NV * kLanes, t.segment_length);
    }
    if (residual != nullptr) {
      unroll<0, MR>([&](auto m) {
        unroll<0, NV>([&](auto j) {
          acc[m][j] = add(acc[m][j], load_column<NV>(residual + m * t.residual_row + j * kLanes, j, t.last_lanes));
        });
      });
      residual += MR * t.residual_row;
    }
    const Vec lo = broadcast(t.lo), hi = broadcast(t.hi);
    unroll<0, MR>([&](auto m) {
      unroll<0, NV>([&](auto j) {
        float* p = y + m * t.y_row + j * t.y_vector;
        const Vec v = clip(acc[m][j], lo, hi);
        if constexpr (j == NV - 1) {
          store_up_to(p, v, t.last_lanes);
        } else {
          store(p, v);
        }
      });
    });
    a += MR * t.a_row;
    init += MR * t.init_row;
    y += MR * t.y_row;
  }
}

using GemmTileFunction = void (*)(const GemmTiles&);

/// Rows that the register file has room for, with NV vectors a row: accumulators, one row of weights, one broadcast input.
constexpr int max_tile_rows(int vectors) {
  const int rows = (kRegisters - 1 - vectors) / vectors;
  return rows < 14 ? rows : 14;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
