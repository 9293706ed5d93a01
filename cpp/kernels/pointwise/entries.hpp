// Matrix products in the registry: one function, an entry for each width of panels, named after the register tile.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/pointwise/gemm.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <int MR>
constexpr void fill_fetching_tiles(GemmTileTable& table) {
  if constexpr (MR >= kLeastFetchingRows) {
    table.fetching[MR - 1] = gemm_tiles<MR, 2, NoHalf<MR>, true>;
    fill_fetching_tiles<MR - 1>(table);
  }
}

constexpr GemmTileTable whole_tiles() {
  GemmTileTable table;
  fill_tiles<1, NoHalf, max_tile_rows(1)>(table);
  fill_tiles<2, NoHalf, max_tile_rows(2)>(table);
  fill_tiles<3, NoHalf, max_tile_rows(3)>(table);
  fill_fetching_tiles<kMostFetchingRows>(table);
  return table;
}
extern constexpr GemmTileTable kWholeTiles = whole_tiles();

/// "gemm_7x32": rows x columns of the tile.
struct GemmName {
  char text[12] = "gemm_";

  constexpr explicit GemmName(int vectors) {
    char* end = append(text + 5, max_tile_rows(vectors));
    *end = 'x';
    append(end + 1, vectors * kLanes);
  }

 private:
  static constexpr char* append(char* to, int number) {
    if (number >= 10) *to++ = static_cast<char>('0' + number / 10);
    *to++ = static_cast<char>('0' + number % 10);
    return to;
  }
};
constexpr GemmName kGemmNames[] = {GemmName(1), GemmName(2), GemmName(3)};

constexpr KernelEntry gemm_entry(int vectors) {
  return entry<gemm>(kGemmNames[vectors - 1].text, Family::pointwise, {0, 0, 0, 0, 0, 0, 0, vectors});
}
constexpr KernelEntry kPointwise[] = {gemm_entry(1), gemm_entry(2), gemm_entry(3)};
static_assert(sizeof(kPointwise) / sizeof(kPointwise[0]) == kMaxPanelVectors);
extern constexpr KernelList unit_pointwise = list_of(kPointwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
