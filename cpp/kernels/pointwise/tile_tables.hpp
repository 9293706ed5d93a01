// The register tiles of matrix products, by their width and height. They dominate the compile time: whole and half
// panels have a translation unit each, and convolutions share them.
#pragma once

#include "kernels/pointwise/tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kMaxTileRows = 14;

/// at[NV][MR - 1], null where there are too few registers.
struct GemmTileTable {
  GemmTileFunction at[kMaxPanelVectors + 1][kMaxTileRows] = {};
  GemmTileFunction fetching[kMaxTileRows] = {};  ///< [MR - 1], of two vectors
};

template <int NV, template <int> class Half, int MR>
constexpr void fill_tiles(GemmTileTable& table) {
  if constexpr (MR >= 1) {
    table.at[NV][MR - 1] = gemm_tiles<MR, NV, Half<MR>, false>;
    fill_tiles<NV, Half, MR - 1>(table);
  }
}

extern const GemmTileTable kWholeTiles, kHalfTiles;

[[gnu::always_inline]] inline const GemmTileTable& tiles_for([[maybe_unused]] HalfPanel half) {
  if constexpr (kHalfPanels) {
    if (half == HalfPanel::narrow) return kHalfTiles;
  }
  return kWholeTiles;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
