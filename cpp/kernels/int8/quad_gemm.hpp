// The int8 matrix product over packed panels: walks blocks of rows, panels, and register tiles.
//
// Where bytes of x have to be flipped, or k is not whole quads, or rows lie a power of two apart, a block of rows is copied to the stack
// first: once for all panels, 1-3 % of the time of one of 64 columns.
#pragma once

#include "kernels/int8/quad_gemm_few.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kBlockBytes = 48 * 1024;  // of copied rows: about a level-1 cache, and little of any stack
/// Of copied rows and split weights together: a thread with musl has a stack of 128 KB.
constexpr std::int64_t kStackBytes = kBlockBytes + (kSorts ? kSortedQuads * 2 * I8::kLanes : (kSplits ? kBlockBytes : 0));

/// Distance of copied rows: whole cache lines, an odd number of them, so that rows do not share the sets of a cache; a line more than a
/// vector may overhang.
constexpr std::int64_t copied_row(std::int64_t k) { return (((k + 63) / 64) | 1) * 64; }

/// What all tiles of a panel share; y and the residual are row 0's.
template <class Out, int NV>
[[gnu::always_inline]] inline void set_panel(QuadTiles& t, const Int8GemmWork& w, std::int64_t vectors_before,
                                             const PanelStore<Out, NV>& store) {
  const std::int64_t column = vectors_before * kLanes, left = w.columns - column;
  t.b = static_cast<const std::int8_t*>(w.b) + vectors_before * packed_quads(w.k) * I8::kLanes;
  t.b_quads = packed_quads(w.k);
  t.initial = w.initial + column;
  if constexpr (kSorts) {
    const std::int8_t* const orders = static_cast<const std::int8_t*>(w.b) + QuadPanels(w.columns).all_vectors() * t.b_quads * I8::kLanes;
    t.order = reinterpret_cast<const std::uint16_t*>(orders) + vectors_before * sorted_order(t.b_quads);
  }
  t.multiplier = w.q.multiplier + column;
  t.store = &store;
  t.columns = static_cast<int>(left < NV * kLanes ? left : NV * kLanes);
  t.y = static_cast<Out*>(w.y) + column;
  t.y_row = w.y_row;
  t.residual = w.residual.data == nullptr ? nullptr : w.residual.data + column;
  t.residual_type = &w.residual;
}

/// The sums of at most kSortedBlock rows of a panel of sorted k, vector by vector.
template <class D>
[[gnu::noinline]] void sorted_sums(const QuadTiles& t, int vectors, std::int64_t rows, std::int32_t* sums) {
  if (rows <= kFewRows) return few_sums<D>(t, vectors, rows, sums);
  const std::int64_t tiles = (rows + kSortedRows - 1) / kSortedRows, height = rows / tiles, taller = rows % tiles;
  const std::int64_t sums_row = vectors * kLanes;
  SortedTile tile{nullptr, t.a_row, t.order, t.b, nullptr, nullptr, 0, nullptr, sums_row, 0, nullptr, 0};
  for (int v = 0; v < vectors; ++v, sums += kLanes) {
    for (std::int64_t q = 0, n; q < t.b_quads; q += n, tile.order += kSortedKinds + n, tile.as_is += n * I8::kLanes) {
      n = t.b_quads - q < kSortedQuads ? t.b_quads - q : kSortedQuads;
      const std::int64_t as_is = 2 * tile.order[kTwoAsIs] + tile.order[kAsIs];
      tile.split = tile.as_is + as_is * I8::kLanes;
      if (rows > kRowsUnsplit) {
        split_weights<D>(tile.split, n - as_is, 0x80, t.scratch);
        tile.split = t.scratch;
      }
      tile.ahead = tile.as_is + n * I8::kLanes;
      tile.lines = (n * I8::kLanes / kLine + tiles - 1) / tiles;
      tile.a = t.a + 4 * q;
      if (t.pieces != nullptr) {
        const Pieces& p = *t.pieces;
        const std::int64_t left = p.k - 4 * q, bytes = left < 4 * n ? left : 4 * n;
        for (std::int64_t m = 0; m < rows; ++m) copy_row(tile.a + m * p.a_row, bytes, p.flip, p.to + m * t.a_row);
        tile.a = p.to;
      }
      tile.initial = q == 0 ? t.initial + v * kLanes : sums;
      tile.initial_row = q == 0 ? 0 : sums_row;
      tile.sums = sums;
      tile.tiles = taller;
      if (taller > 0) kMultiplySorted<D>[height](tile);
      tile.tiles = tiles - taller;
      kMultiplySorted<D>[height - 1](tile);
    }
  }
}

/// One panel for rows [begin, end), of which t.a is the first: tiles of nearly equal height, because a last row alone costs nearly as much
/// as a whole tile.
template <class Out, int NV>
inline void quad_panel(const Int8GemmWork& w, QuadTiles& t, std::int64_t vectors_before, std::int64_t begin, std::int64_t end) {
  const PanelStore<Out, NV> panel_store(w.q, w.y_flip, vectors_before * kLanes, t.within);
  set_panel(t, w, vectors_before, panel_store);
  if constexpr (kSorts) {
    if (t.sorted) {
      alignas(64) std::int32_t sums[kSortedBlock * NV * kLanes];
      sorted_sums<Dot>(t, NV, end - begin, sums);
      t.y = static_cast<Out*>(t.y) + begin * w.y_row;
      if (t.residual != nullptr) t.residual += begin * w.residual.row;
      return store_pixels<Out, NV>(t, sums, 0, end - begin);
    }
  }
  const std::int8_t* const residual = t.residual;
  Out* const y = static_cast<Out*>(t.y);
  const std::int8_t *const first = t.a, *a = first;
  t.split = nullptr;
  if constexpr (kRoundsFewAtOnce && sizeof(Out) == 1 && NV != 2) {
    if (t.quads <= kFewQuads && t.within && residual == nullptr && (NV == 4 || panel_store.alike)) {
      const std::int64_t done = multiply_few_quads<NV>(t, y + begin * w.y_row, end - begin);
      begin += done;
      if (begin == end) return;
      a += done * t.a_row;
    }
  }
  const std::int64_t rows = end - begin, most = max_quad_rows(NV);
  if constexpr (kSorts && NV == 4) {
    if (rows == 1) {
      alignas(64) std::int32_t sums[4 * kLanes];
      multiply_row<Dot>(t, sums);
      t.y = y + begin * w.y_row;
      if (residual != nullptr) t.residual = residual + begin * w.residual.row;
      return store_pixels<Out, NV>(t, sums, 0, 1);
    }
  }
  const std::int64_t tiles = (rows + most - 1) / most, height = tiles == 1 ? rows : rows / tiles, taller = rows - height * tiles;
  if constexpr (splits(NV)) {
    if ((kSorts ? rows > kShortRows : tiles >= kManyTiles) && 2 * NV * t.b_quads * I8::kLanes <= t.scratch_bytes) {
      split_weights<Dot>(t.b, NV * t.b_quads, t.x_flip, t.scratch);
      t.split = t.scratch;
    }
  }
  const auto run = [&](std::int64_t row, std::int64_t tile_rows, std::int64_t count) {
    if (count == 0) return;
    t.a = a + row * (t.pieces == nullptr ? t.a_row : w.a_row);
    t.y = y + (begin + row) * w.y_row;
    t.residual = residual == nullptr ? nullptr : residual + (begin + row) * w.residual.row;
    t.count = count;
    quad_tiles<Out, NV>(t, tile_rows);
  };
  run(0, height + 1, taller);
  run(taller * (height + 1), height, tiles - taller);
  t.a = first;
}

template <class Out>
inline void quad_panels(const Int8GemmWork& w, QuadTiles& t, std::int64_t begin, std::int64_t end) {
  QuadPanels(w.columns).for_each_part(w.panel_begin, w.panel_end,
                                      [&](auto vectors, std::int64_t before) { quad_panel<Out, vectors>(w, t, before, begin, end); });
}

/// At most kFewRows rows by weights of sorted k; `to` has place for twice as many, or as many pieces.
template <class Out>
[[gnu::noinline]] void few_block(const Int8GemmWork& w, QuadTiles& t, std::int64_t begin, std::int64_t end, std::int8_t* to) {
  const Pieces p{w.a_row, w.k, static_cast<std::uint8_t>(w.a_flip ^ 0x80), to};
  const std::int64_t a_row = t.a_row;
  const Pieces* const pieces = t.pieces;
  t.a_row = copied_row(w.k < kPieceBytes ? w.k : kPieceBytes);
  t.pieces = w.k > kPieceBytes ? &p : nullptr;
  if (t.pieces == nullptr) {
    copy_both(p, t.a, end - begin, w.k, t.a_row);
    t.a = to;
  }
  quad_panels<Out>(w, t, begin, end);
  t.a_row = a_row;
  t.pieces = pieces;
}

/// Blocks of rows, copied if there is a place for that; of nearly equal height, because each reads all weights: 49 rows are one of 48.
template <class Out>
inline void quad_blocks(const Int8GemmWork& w, QuadTiles& t, std::int64_t most, const Pieces* copies) {
  std::int64_t block = w.rows;
  if (w.rows > most) {
    const std::int64_t blocks = (w.rows + (copies == nullptr && !t.sorted ? most / 2 : most - 1)) / most;
    block = (w.rows + blocks - 1) / blocks;
  }
  for (std::int64_t row = 0; row < w.rows; row += block) {
    const std::int64_t end = row + block < w.rows ? row + block : w.rows;
    t.a = w.a + row * w.a_row;
    if constexpr (kSorts) {
      if (t.sorted && end - row <= kFewRows) {
        few_block<Out>(w, t, row, end, copies != nullptr ? copies->to : t.scratch);
        continue;
      }
    }
    if (copies != nullptr && t.pieces == nullptr) {
      for (std::int64_t r = 0; r < end - row; ++r) copy_row(t.a + r * w.a_row, w.k, copies->flip, copies->to + r * t.a_row);
      t.a = copies->to;
    }
    quad_panels<Out>(w, t, row, end);
  }
}

template <class Out>
[[gnu::noinline]] void quad_gemm_rows(const Int8GemmWork& w, bool copies) {
  QuadTiles t;  // panels set the rest: zeroed and passed by value, one row of 64->64 took 0.23 us, 0.17 so
  t.pieces = nullptr;
  t.quads = (w.k + 3) / 4;
  t.within = within_int32(w.q, w.residual);
  t.sorted = is_sorted(w.k);
  // Sorted weights are multiplied by unsigned bytes.
  const auto flip = static_cast<std::uint8_t>(t.sorted ? w.a_flip ^ 0x80 : Dot::flip(w.a_flip));
  copies = copies || flip != 0;
  alignas(64) std::int8_t stack[kStackBytes];
  t.x_flip = w.a_flip;
  t.scratch = stack + (copies ? kBlockBytes : 0);
  t.scratch_bytes = kStackBytes - (copies ? kBlockBytes : 0);
  t.a_row = w.a_row;
  std::int64_t block = t.sorted && w.block_rows > kSortedBlock ? kSortedBlock : w.block_rows;
  if (copies) {
    const Pieces pieces{w.a_row, w.k, flip, stack};
    t.a_row = copied_row(w.k < kPieceBytes ? w.k : kPieceBytes);
    if (w.k > kPieceBytes) t.pieces = &pieces;
    const std::int64_t most = w.k > kPieceBytes ? kPieceRows : kBlockBytes / t.a_row;
    if (block > most) block = most;
    return quad_blocks<Out>(w, t, block, &pieces);
  }
  quad_blocks<Out>(w, t, block, nullptr);
}

/// Rows that end in part of a quad are read as they lie, into the next row, as weights behind k are zeros: 784 rows of 33->47 27.0 us
/// copied, 24.1 so. The last has no next.
template <class Out>
inline void quad_gemm(const Int8GemmWork& w) {
  constexpr std::int64_t kManyRows = 24;
  const bool parts = w.k % 4 != 0;
  if (!kSorts || is_sorted(w.k) || !parts || w.rows < kManyRows || w.a_row + w.k < 4 * ((w.k + 3) / 4))
    return quad_gemm_rows<Out>(w, parts);
  Int8GemmWork some = w;
  some.rows = w.rows - 1;
  quad_gemm_rows<Out>(some, false);
  some.a += some.rows * w.a_row;
  some.y = static_cast<Out*>(w.y) + some.rows * w.y_row;
  if (w.residual.data != nullptr) some.residual.data += some.rows * w.residual.row;
  some.rows = 1;
  quad_gemm_rows<Out>(some, true);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
