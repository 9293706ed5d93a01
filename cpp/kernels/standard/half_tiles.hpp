// The translation unit of the position tiles that end in half a vector.
#pragma once

#include "kernels/standard/position_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr PositionTileTable half_position_tiles() {
  PositionTileTable table;
  fill_position_tiles<0, NarrowHalf, max_positions(0, true)>(table);
  fill_position_tiles<1, NarrowHalf, max_positions(1, true)>(table);
  fill_position_tiles<2, NarrowHalf, max_positions(2, true)>(table);
  return table;
}
extern constexpr PositionTileTable kHalfPositionTiles = half_position_tiles();

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
