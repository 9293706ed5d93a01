// A register tile of a convolution whose output positions lie anywhere in the image, each with addresses of its own: a border of an image,
// or an image of a few pixels, fills tiles as well as a long row does.
#pragma once

#include "kernels/pointwise/tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// As many addresses as general registers hold.
constexpr int kMaxPositions = 10;

/// Positions x the columns of a panel.
struct PositionTile {
  const float* a[kMaxPositions];         ///< the inputs that segments start from
  float* out[kMaxPositions];             ///< sums of the whole panel, or y
  const float* residual[kMaxPositions];  ///< where add_residual
  std::int64_t input = 0, column = 0;    ///< from those to a group's channels, and to its outputs
  const Segment* segments;
  std::int64_t segment_count;
  const float* b;
  const float* bias;  ///< of the panel; null: sums continue what is in `out`
  bool finish;        ///< whether `out` is y, and residual and bounds follow
  bool add_residual;
  int last_lanes;  ///< columns of the panel's last vector that exist
  float lo, hi;
  Ahead ahead;
};

template <class Float, int MR>
struct AddressedRows {
  Float* row[MR];
  std::int64_t offset;

  AddressedRows() = default;
  [[gnu::always_inline]] inline explicit AddressedRows(Float* const* rows, std::int64_t first = 0) : offset(opaque(first)) {
    unroll<0, MR>([&](auto m) { row[m] = rows[m]; });
  }
  template <int M>
  [[gnu::always_inline]] inline Float* at() const {
    return row[M] + offset;
  }
  /// One index for all rows; the compiler would rather advance each.
  [[gnu::always_inline]] inline void advance(std::int64_t floats) { offset = opaque(offset + floats); }
};

template <int MR, int NV, class Half, bool kFetches>
[[gnu::flatten]] void position_tile(const PositionTile& t) {
  GemmTile<MR, NV, Half> tile;
  if (t.bias != nullptr) {
    tile.set(t.bias);
  } else {
    tile.set_from(AddressedRows<float, MR>(t.out));
  }
  Ahead ahead = t.ahead;
  for (std::int64_t s = 0; s < t.segment_count; ++s) {
    AddressedRows<const float, MR> rows(t.a, t.segments[s].a + t.input);
    const float* b = t.b + t.segments[s].k * tile.kWidth;
    if constexpr (kFetches) {
      tile.multiply(rows, b, t.segments[s].length, ahead);
    } else {
      tile.multiply(rows, b, t.segments[s].length);
    }
  }
  if (!t.finish) return tile.store_whole(AddressedRows<float, MR>(t.out));
  if (t.add_residual) tile.add_residual(AddressedRows<const float, MR>(t.residual, t.column), t.last_lanes);
  tile.clip(t.lo, t.hi);
  tile.store(AddressedRows<float, MR>(t.out, t.column), kLanes, t.last_lanes);
}

using PositionTileFunction = void (*)(const PositionTile&);

/// at[NV][MR - 1], null where there are too few registers.
struct PositionTileTable {
  PositionTileFunction at[kMaxPanelVectors + 1][kMaxPositions] = {};
  PositionTileFunction fetching[kMaxPositions] = {};  ///< [MR - 1], of two vectors
};

constexpr int max_positions(int vectors, bool half) {
  const int most = half ? max_half_tile_rows(vectors) : max_tile_rows(vectors);
  return most < kMaxPositions ? most : kMaxPositions;
}

template <int NV, template <int> class Half, int MR>
constexpr void fill_position_tiles(PositionTileTable& table) {
  if constexpr (MR >= 1) {
    table.at[NV][MR - 1] = position_tile<MR, NV, Half<MR>, false>;
    fill_position_tiles<NV, Half, MR - 1>(table);
  }
}

/// A translation unit each, as those of matrix products.
extern const PositionTileTable kWholePositionTiles, kHalfPositionTiles;

[[gnu::always_inline]] inline const PositionTileTable& position_tiles_for([[maybe_unused]] HalfPanel half) {
  if constexpr (kHalfPanels) {
    if (half == HalfPanel::narrow) return kHalfPositionTiles;
  }
  return kWholePositionTiles;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
