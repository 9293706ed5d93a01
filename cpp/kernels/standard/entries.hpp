// Standard convolutions in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/standard/grouped.hpp"
#include "kernels/standard/standard.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <int MR>
constexpr void fill_fetching_position_tiles(PositionTileTable& table) {
  if constexpr (MR >= kLeastFetchingRows) {
    table.fetching[MR - 1] = position_tile<MR, 2, NoHalf<MR>, true>;
    fill_fetching_position_tiles<MR - 1>(table);
  }
}

constexpr PositionTileTable whole_position_tiles() {
  PositionTileTable table;
  fill_position_tiles<1, NoHalf, max_positions(1, false)>(table);
  fill_position_tiles<2, NoHalf, max_positions(2, false)>(table);
  fill_position_tiles<3, NoHalf, max_positions(3, false)>(table);
  fill_fetching_position_tiles<kMostFetchingRows>(table);
  return table;
}
extern constexpr PositionTileTable kWholePositionTiles = whole_position_tiles();

constexpr KernelEntry kStandard[] = {
    entry<standard>("standard", Family::standard),
    entry<grouped>("grouped", Family::grouped),
};
extern constexpr KernelList unit_standard = list_of(kStandard);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
