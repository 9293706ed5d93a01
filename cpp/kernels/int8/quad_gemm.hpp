// The int8 matrix product over packed panels: walks blocks of rows, panels, and register tiles.
//
// Where bytes of x have to be flipped, or k is not whole quads, or rows lie a power of two apart, a block of rows is copied to the stack
// first: once for all panels, 1-3 % of the time of one of 64 columns.
#pragma once

#include "kernels/int8/quad_gemm_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kBlockBytes = 48 * 1024;  // of copied rows: about a level-1 cache, and little of any stack
/// Of copied rows and split weights together: a thread with musl has a stack of 128 KB.
constexpr std::int64_t kStackBytes = kSplits ? 2 * kBlockBytes : kBlockBytes;

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
    const std::int64_t vectors = QuadPanels(w.columns).all_vectors();
    t.kinds = static_cast<const std::int8_t*>(w.b) + vectors * packed_quads(w.k) * I8::kLanes + vectors_before / 2 * packed_quads(w.k);
    t.as_unsigned = t.initial + vectors * kLanes;
  }
  t.multiplier = w.q.multiplier + column;
  t.store = &store;
  t.columns = static_cast<int>(left < NV * kLanes ? left : NV * kLanes);
  t.y = static_cast<Out*>(w.y) + column;
  t.y_row = w.y_row;
  t.residual = w.residual.data == nullptr ? nullptr : w.residual.data + column;
  t.residual_type = &w.residual;
}

/// One panel for rows [begin, end), of which t.a is the first: tiles of nearly equal height, because a last row alone costs nearly as much
/// as a whole tile.
template <class Out, int NV>
inline void quad_panel(const Int8GemmWork& w, QuadTiles t, std::int64_t vectors_before, std::int64_t begin, std::int64_t end) {
  const PanelStore<Out, NV> panel_store(w.q, w.y_flip, vectors_before * kLanes, t.within);
  set_panel(t, w, vectors_before, panel_store);
  const std::int8_t* const residual = t.residual;
  Out* const y = static_cast<Out*>(t.y);
  if constexpr (kRoundsFewAtOnce && sizeof(Out) == 1 && 4 / NV <= kSixteens) {
    if (t.quads <= kFewQuads && residual == nullptr && (NV == 4 || panel_store.alike)) {
      const std::int64_t done = multiply_few_quads<NV>(t, y + begin * w.y_row, end - begin);
      begin += done;
      t.a += done * t.a_row;
      if (begin == end) return;
    }
  }
  const std::int64_t rows = end - begin, most = max_quad_rows(NV);
  const std::int64_t tiles = (rows + most - 1) / most, height = rows / tiles, taller = rows % tiles;
  if constexpr (splits(NV)) {
    if constexpr (kSorts) {
      const std::int64_t bytes = sorted_bytes(t.b_quads);
      if (tiles >= kManyTiles && NV / 2 * bytes <= t.scratch_bytes) {
        for (int g = 0; g < NV / 2; ++g) {
          const std::int8_t* const b = t.b + g * t.b_quads * 2 * I8::kLanes;
          t.sorted[g] = sort_pair<Dot>(b, t.kinds + g * t.b_quads, t.b_quads, t.x_flip, t.scratch + g * bytes);
        }
        t.split = t.scratch;
      }
    } else if (tiles >= kManyTiles && 2 * NV * t.b_quads * I8::kLanes <= t.scratch_bytes) {
      split_weights<Dot>(t, NV * t.b_quads);
      t.split = t.scratch;
    }
  }
  const std::int8_t* a = t.a;
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
}

template <class Out>
inline void quad_panels(const Int8GemmWork& w, const QuadTiles& t, std::int64_t begin, std::int64_t end) {
  QuadPanels(w.columns).for_each_part(w.panel_begin, w.panel_end,
                                      [&](auto vectors, std::int64_t before) { quad_panel<Out, vectors>(w, t, before, begin, end); });
}

/// Blocks of rows, copied if there is a place for that; of nearly equal height, because each reads all weights: 49 rows are one of 48.
template <class Out>
inline void quad_blocks(const Int8GemmWork& w, QuadTiles t, std::int64_t most, const Pieces* copies) {
  const std::int64_t blocks = (w.rows + (copies == nullptr ? most / 2 : most - 1)) / most,
                     block = blocks < 2 ? w.rows : (w.rows + blocks - 1) / blocks;
  for (std::int64_t row = 0; row < w.rows; row += block) {
    const std::int64_t end = row + block < w.rows ? row + block : w.rows;
    t.a = w.a + row * w.a_row;
    if (copies != nullptr && t.pieces == nullptr) {
      for (std::int64_t r = 0; r < end - row; ++r) copy_row(t.a + r * w.a_row, w.k, copies->flip, copies->to + r * t.a_row);
      t.a = copies->to;
    }
    quad_panels<Out>(w, t, row, end);
  }
}

template <class Out>
inline void quad_gemm(const Int8GemmWork& w) {
  QuadTiles t{};
  t.quads = (w.k + 3) / 4;
  t.within = within_int32(w.q.multiplier, QuadPanels(w.columns).all_vectors() * kLanes, w.residual);
  const std::uint8_t flip = Dot::flip(w.a_flip);
  const bool copies = flip != 0 || w.k % 4 != 0;
  alignas(64) std::int8_t stack[kStackBytes];
  t.x_flip = w.a_flip;
  t.scratch = stack + (copies ? kBlockBytes : 0);
  t.scratch_bytes = kStackBytes - (copies ? kBlockBytes : 0);
  t.a_row = w.a_row;
  std::int64_t block = w.block_rows;
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

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
