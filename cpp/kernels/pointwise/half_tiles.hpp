// The translation unit of the tiles that end in half a vector.
#pragma once

#include "kernels/pointwise/tile_tables.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

extern constexpr GemmTileTable kPairedTiles = half_tiles<PairedHalf>();
extern constexpr GemmTileTable kNarrowTiles = half_tiles<NarrowHalf>();

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
