// The int8 matrix product on AMX: 32 pixels x 32 columns of sums in tiles, 64 of k at a time, x where it lies.
//
// Weights are packed as for other products, with k as whole tiles and, behind the initial sums for x as unsigned bytes, those for x as
// signed ones: both kinds are multiplied as they are. The last k, which are no whole tile, are copied, so that no byte behind a row is
// read.
#pragma once

#include "kernels/int8/quad_gemm.hpp"
#include "simd/matrix_tiles.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kAmxRows = 2 * MatrixTiles::kRows, kAmxBlock = 16 * kAmxRows;

/// Rows of one block of x.
struct AmxRows {
  const std::int8_t* a;
  std::int64_t a_row, chunks;  ///< whole tiles of k
  const std::int8_t* tail;     ///< or null: the last k of each row, 64 bytes and zeros
  bool within;                 ///< values are within int32
};

template <int Columns, bool Lower, bool Unsigned>
[[gnu::always_inline]] inline void amx_multiply(const AmxRows& r, std::int64_t row, const std::int8_t* b, const std::int32_t* initial,
                                                std::int32_t* sums, std::int64_t sums_row) {
  constexpr std::int64_t kStep = MatrixTiles::kRows * Columns * MatrixTiles::kBytes;
  MatrixTiles::start<Columns, Lower>(initial);
  const std::int8_t* a = r.a + row * r.a_row;
  for (std::int64_t c = 0; c < r.chunks; ++c, a += MatrixTiles::kBytes, b += kStep)
    MatrixTiles::add<Columns, Lower, Unsigned>(a, r.a_row, b);
  if (r.tail != nullptr) {
    MatrixTiles::add<Columns, Lower, Unsigned>(r.tail + row * MatrixTiles::kBytes, MatrixTiles::kBytes, b);
  }
  MatrixTiles::store<Columns, Lower>(sums, sums_row);
}

/// Up to 32 rows of a panel.
template <class Out, int NV, bool Lower, bool Unsigned>
[[gnu::flatten]] void amx_tiles(const QuadTiles& t, const AmxRows& r, std::int64_t row, int rows) {
  constexpr int G = group_of(NV);
  alignas(64) std::int32_t sums[kAmxRows * NV * kLanes];
  unroll<0, NV / G>([&](auto g) {
    amx_multiply<G, Lower, Unsigned>(r, row, t.b + g * G * t.b_quads * I8::kLanes, t.initial + g * G * kLanes, sums + g * G * kLanes,
                                     NV * kLanes);
  });
  MatrixTiles::fence();
  const auto& panel = *static_cast<const PanelStore<Out, NV>*>(t.store);
  Out* y = static_cast<Out*>(t.y) + row * t.y_row;
  const std::int8_t* residual = t.residual == nullptr ? nullptr : t.residual + row * t.residual_type->row;
  for (int m = 0; m < rows; ++m, y += t.y_row) {
    store_pixel<Out, NV>(t, panel, sums + m * NV * kLanes, residual, y);
    if (residual != nullptr) residual += t.residual_type->row;
  }
}

/// One panel for the rows of a block, which begins at row `begin` of y.
template <class Out, int NV, bool Unsigned>
inline void amx_panel(const Int8GemmWork& w, const AmxRows& r, std::int64_t vectors_before, std::int64_t begin, std::int64_t rows) {
  const PanelStore<Out, NV> store(w.q, w.y_flip, vectors_before * kLanes, r.within);
  QuadTiles t{};
  set_panel(t, w, vectors_before, store);
  if (!Unsigned) t.initial += QuadPanels(w.columns).all_vectors() * kLanes;
  t.y = static_cast<Out*>(t.y) + begin * w.y_row;
  if (t.residual != nullptr) t.residual += begin * w.residual.row;
  MatrixTiles::configure(MatrixTiles::kRows, MatrixTiles::kRows);
  std::int64_t row = 0;
  for (; row + kAmxRows <= rows; row += kAmxRows) amx_tiles<Out, NV, true, Unsigned>(t, r, row, kAmxRows);
  const int left = static_cast<int>(rows - row), lower = left - MatrixTiles::kRows;
  if (lower > 0) {
    MatrixTiles::configure(MatrixTiles::kRows, lower);
    amx_tiles<Out, NV, true, Unsigned>(t, r, row, left);
  } else if (left > 0) {
    MatrixTiles::configure(left, 1);
    amx_tiles<Out, NV, false, Unsigned>(t, r, row, left);
  }
}

template <class Out, bool Unsigned>
inline void amx_block(const Int8GemmWork& w, const AmxRows& r, std::int64_t begin, std::int64_t rows) {
  QuadPanels(w.columns).for_each_part(
      w.panel_begin, w.panel_end, [&](auto vectors, std::int64_t before) { amx_panel<Out, vectors, Unsigned>(w, r, before, begin, rows); });
}

/// What vpdpbusd does in the time that the tiles' configuration takes.
constexpr std::int64_t kLeastAmxProducts = 1 << 17;

/// Few rows do not fill tiles, and to configure them takes half a microsecond.
template <class Out>
inline void amx_gemm(const Int8GemmWork& w) {
  if (w.rows < 4 || w.rows * w.k * w.columns < kLeastAmxProducts) return quad_gemm<Out>(w);
  alignas(64) std::int8_t tail[kAmxBlock * MatrixTiles::kBytes];
  const std::int64_t chunks = w.k / MatrixTiles::kBytes, left = w.k % MatrixTiles::kBytes;
  const bool within = within_int32(w.q.multiplier, QuadPanels(w.columns).all_vectors() * kLanes, w.residual);
  for (std::int64_t row = 0; row < w.rows; row += kAmxBlock) {
    const std::int64_t rows = w.rows - row < kAmxBlock ? w.rows - row : kAmxBlock;
    const AmxRows r{w.a + row * w.a_row, w.a_row, chunks, left > 0 ? tail : nullptr, within};
    if (left > 0) {
      const std::int8_t* from = r.a + chunks * MatrixTiles::kBytes;
      for (std::int64_t i = 0; i < rows; ++i) store(tail + i * MatrixTiles::kBytes, load_first(from + i * w.a_row, static_cast<int>(left)));
      MatrixTiles::fence();
    }
    w.a_flip != 0 ? amx_block<Out, true>(w, r, row, rows) : amx_block<Out, false>(w, r, row, rows);
  }
  MatrixTiles::release();
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
