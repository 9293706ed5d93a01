// The translation unit of the tiles that end in half a vector.
#pragma once

#include "kernels/pointwise/tile_tables.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr GemmTileTable half_tiles() {
  GemmTileTable table;
  fill_tiles<0, NarrowHalf, max_half_tile_rows(0)>(table);
  fill_tiles<1, NarrowHalf, max_half_tile_rows(1)>(table);
  fill_tiles<2, NarrowHalf, max_half_tile_rows(2)>(table);
  return table;
}
extern constexpr GemmTileTable kHalfTiles = half_tiles();

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
