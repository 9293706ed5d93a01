// The int8 matrix product on AMX: up to 32 pixels x 32 columns of sums in tiles, 64 of k at a time, x where it lies.
//
// Weights are packed as for other products, with k as whole tiles and, behind the initial sums for x as unsigned bytes, those for x as
// signed ones: both kinds are multiplied as they are. The last k, which are no whole tile, are copied, so that no byte behind a row is
// read. Rows that do not begin at cache lines take half as long again to load: where many columns read them, they are copied whole.
#pragma once

#include "kernels/int8/quad_gemm.hpp"
#include "simd/matrix_tiles.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr int kAmxRows = 2 * MatrixTiles::kRows;
constexpr std::int64_t kAmxBlock = 16 * kAmxRows, kAmxCopyBytes = 64 * 1024;  // of rows; of copied ones, on the stack

/// Rows of one block of x.
struct AmxRows {
  const std::int8_t* a;
  std::int64_t a_row, chunks;  ///< whole tiles of k
  const std::int8_t* tail;     ///< or null: the last k of each row, 64 bytes and zeros
  std::int64_t height;         ///< rows of a tile: as many of each, but for the last
  bool copied;                 ///< there are bytes to read behind the last row
  bool within;                 ///< values are within int32
};

/// The sums of `groups` times Columns x 16 columns, to rows of as many; the lower part of the tiles begins `upper` rows down.
template <int Columns, bool Lower, bool Unsigned>
void amx_tile(const AmxRows& r, std::int64_t row, std::int64_t upper, const QuadTiles& t, int groups, std::int32_t* sums) {
  constexpr std::int64_t kBytes = MatrixTiles::kBytes, kStep = MatrixTiles::kRows * Columns * kBytes;
  const std::int64_t sums_row = groups * Columns * kLanes, a_row = r.a_row;
  const std::int8_t* b = t.b;
  for (int g = 0; g < groups; ++g, sums += Columns * kLanes) {
    MatrixTiles::start<Columns, Lower>(t.initial + g * Columns * kLanes);
    const std::int8_t* a = r.a + row * a_row;
    for (std::int64_t c = 0; c < r.chunks; ++c, a += kBytes, b += kStep) {
      MatrixTiles::add<Columns, Lower, Unsigned>(a, a + upper * a_row, a_row, b);
    }
    if (r.tail != nullptr) {
      const std::int8_t* tail = r.tail + row * kBytes;
      MatrixTiles::add<Columns, Lower, Unsigned>(tail, tail + upper * kBytes, kBytes, b);
      b += kStep;
    }
    MatrixTiles::store<Columns, Lower>(sums, sums + upper * sums_row, sums_row);
  }
  MatrixTiles::fence();
}

using AmxTile = void (*)(const AmxRows&, std::int64_t, std::int64_t, const QuadTiles&, int, std::int32_t*);
template <int Columns>
constexpr AmxTile kAmxTiles[2][2] = {{amx_tile<Columns, false, false>, amx_tile<Columns, false, true>},
                                     {amx_tile<Columns, true, false>, amx_tile<Columns, true, true>}};

/// Configures tiles for so many rows.
inline void amx_configure(std::int64_t rows) {
  const int lower = static_cast<int>(rows / 2);
  MatrixTiles::configure(static_cast<int>(rows) - lower, lower > 0 ? lower : 1);
}

/// One panel for the rows of a block, which begins at row `begin` of y.
template <class Out, int NV>
[[gnu::flatten]] void amx_panel(const Int8GemmWork& w, const AmxRows& r, std::int64_t vectors_before, std::int64_t begin,
                                std::int64_t rows) {
  alignas(64) std::int32_t sums[kAmxRows * NV * kLanes];
  const PanelStore<Out, NV> store(w.q, w.y_flip, vectors_before * kLanes, r.within);
  QuadTiles t{};
  set_panel(t, w, vectors_before, store);
  if (w.a_flip == 0) t.initial += QuadPanels(w.columns).all_vectors() * kLanes;
  t.y = static_cast<Out*>(t.y) + begin * w.y_row;
  if (t.residual != nullptr) t.residual += begin * w.residual.row;
  for (std::int64_t row = 0; row < rows; row += r.height) {
    const std::int64_t left = rows - row, there = left < r.height ? left : r.height, tile = r.copied ? r.height : there;
    if (tile < r.height) amx_configure(tile);
    kAmxTiles<group_of(NV)>[tile > 1 ? 1 : 0][w.a_flip != 0 ? 1 : 0](r, row, tile - tile / 2, t, NV / group_of(NV), sums);
    if (tile < r.height) amx_configure(r.height);
    store_pixels<Out, NV>(t, sums, row, there);
  }
}

/// What vpdpbusd does in the time that the tiles' configuration takes.
constexpr std::int64_t kLeastAmxProducts = 1 << 17;

/// A quarter of a tile's k: 112x112 16->96 takes 195 us by tiles and 148 by vpdpbusd, of uint8 as it lies also 32->16, 76 and 61.
inline bool suits_tiles(const Int8GemmWork& w) { return w.k > (w.columns <= 16 && w.a_flip != 0 ? 32 : 16); }

/// Few rows do not fill tiles, and to configure them takes half a microsecond.
template <class Out>
inline void amx_gemm(const Int8GemmWork& w) {
  if (!suits_tiles(w) || w.rows < 4 || w.rows * w.k * w.columns < kLeastAmxProducts) return quad_gemm<Out>(w);
  constexpr std::int64_t kBytes = MatrixTiles::kBytes, kManyPanels = 6;
  alignas(64) std::int8_t copy[kAmxCopyBytes];
  const QuadPanels panels(w.columns);
  const std::int64_t tiles = (w.rows + kAmxRows - 1) / kAmxRows, left = w.k % kBytes;
  AmxRows r{};
  r.height = (w.rows + tiles - 1) / tiles;
  r.within = within_int32(w.q, w.residual);
  const bool as_tiles = (reinterpret_cast<std::uintptr_t>(w.a) | static_cast<std::uintptr_t>(w.a_row | w.k)) % kBytes == 0;
  const bool many = w.panel_end - w.panel_begin >= kManyPanels;
  r.copied = many && !(as_tiles && w.rows % r.height == 0) && copied_row(w.k) * r.height <= kAmxCopyBytes;
  r.chunks = (w.k + (r.copied ? kBytes - 1 : 0)) / kBytes;
  // Of each row all is copied, or the last bytes.
  const std::int64_t from = r.copied ? 0 : w.k - left, step = r.copied ? copied_row(w.k) : kBytes;
  std::int64_t block = r.copied ? kAmxCopyBytes / step : kAmxBlock;
  block -= block % r.height;
  amx_configure(r.height);
  for (std::int64_t row = 0; row < w.rows; row += block) {
    const std::int64_t rows = w.rows - row < block ? w.rows - row : block;
    r.a = w.a + row * w.a_row;
    r.a_row = w.a_row;
    for (std::int64_t i = 0; from < w.k && i < rows; ++i) copy_row(r.a + i * w.a_row + from, w.k - from, 0, copy + i * step);
    MatrixTiles::fence();
    if (r.copied) {
      r.a = copy;
      r.a_row = step;
    } else if (left > 0) {
      r.tail = copy;
    }
    panels.for_each_part(w.panel_begin, w.panel_end,
                         [&](auto vectors, std::int64_t before) { amx_panel<Out, vectors>(w, r, before, row, rows); });
  }
  MatrixTiles::release();
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
