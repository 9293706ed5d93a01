// What the int8 matrix product's tiles are given, and how rows are copied for them.
#pragma once

#include "kernels/int8/quad_gemm_sorted.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Bytes flipped, and zeros up to whole quads.
inline void copy_row(const std::int8_t* from, std::int64_t n, std::uint8_t flip, std::int8_t* to) {
  const I8 f = broadcast(static_cast<std::int8_t>(flip));
  std::int64_t i = 0;
  for (; i + I8::kLanes <= n; i += I8::kLanes) store(to + i, bit_xor(load(from + i), f));
  if (i < n) store(to + i, bit_xor(load_first(from + i, static_cast<int>(n - i)), f));
}

constexpr std::int64_t kPieceBytes = 8192;
constexpr int kPieceRows = 4;
/// Rows of a matrix too long to be copied whole: kPieceRows of them, kPieceBytes at a time.
struct Pieces {
  std::int64_t a_row, k;
  std::uint8_t flip;
  std::int8_t* to;  ///< copies, QuadTiles::a_row from one row to the next
};

/// `count` tiles of MR rows each, in one panel.
struct QuadTiles {
  const std::int8_t* a;
  std::int64_t a_row, quads;  ///< quads of k
  std::int64_t b_quads;       ///< as packed
  const Pieces* pieces;       ///< or null: what to copy, piece by piece, because k is too long for whole rows
  const std::int8_t* b;
  std::int8_t* scratch;  ///< for weights that are split, where they are
  std::int64_t scratch_bytes;
  const std::int8_t* split;     ///< or null: the panel's, in there
  std::uint8_t x_flip;          ///< of x, for weights that are split as they are read
  const std::int32_t* initial;  ///< of the panel, as is the multiplier
  const float* multiplier;
  void* y;
  std::int64_t y_row;
  const std::int8_t* residual;
  const Int8Residual* residual_type;
  const void* store;           ///< the panel's PanelStore
  const std::uint16_t* order;  ///< of the panel's quads, where they are sorted
  int columns;                 ///< of the panel that exist
  bool within, sorted;         ///< values are within int32; k is sorted
  std::int64_t count;
};

/// Quads of k in packed weights: AMX multiplies 16 at a time.
constexpr std::int64_t packed_quads(std::int64_t k) { return kMatrixTiles ? (k + 63) / 64 * 16 : (k + 3) / 4; }

/// Vectors of sums that a tile keeps in registers at a time: all of a panel, or half of one where there are 16 registers, or
/// two by two tiles for AMX.
constexpr int kQuadGroup = kRegisters >= 32 && !kMatrixTiles ? 4 : 2;
constexpr int group_of(int vectors) { return vectors < kQuadGroup ? vectors : kQuadGroup; }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
