// The matrix product that every instruction set has and that takes every problem: pairs of int16 products. Weights with zero points are
// packed less their zero point, which int16 holds.
#pragma once

#include "kernels/int8/plain_pack.hpp"
#include "kernels/int8/plain_requantize.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr int kPanelVectors = 2, kPanelColumns = kPanelVectors * kLanes;  // of sums
constexpr int kTileRows = kRegisters >= 32 ? 8 : 4;
constexpr int kChunk = 512;  // of k, widened to int16 at a time: small enough for the stack

/// Weights as [panel][pair of k][column][2].
inline void pack_gemm(Int8PackWork& w) {
  // Of sums a panel more: whole quads are read, from any panel on.
  pack_pairs(w, kPanelColumns, 1, [&](std::int64_t) { return *w.x_zeros; });
}

/// n values as int16, and a zero behind them where n is odd.
inline void widen_row(const std::int8_t* from, std::int64_t n, std::uint8_t flip, std::int16_t* to) {
  std::int64_t i = 0;
  for (; i + kByteLanes <= n; i += kByteLanes) {
    const I8 v = flipped(load(from + i), flip);
    store(to + i, widen_lower(v));
    store(to + i + kByteLanes / 2, widen_upper(v));
  }
  for (; i < n; ++i) to[i] = static_cast<std::int8_t>(static_cast<std::uint8_t>(from[i]) ^ flip);
  if (n % 2 != 0) to[n] = 0;
}

/// Adds the products of `pairs` pairs to the sums of a tile.
template <int Rows>
inline void multiply(const std::int16_t* a, const std::int16_t* b, std::int64_t pairs, std::int32_t* sums) {
  I32 acc[Rows][kPanelVectors];
  unroll<0, Rows>([&](auto r) { unroll<0, kPanelVectors>([&](auto j) { acc[r][j] = load(sums + r * kPanelColumns + j * kLanes); }); });
  for (std::int64_t p = 0; p < pairs; ++p, b += 2 * kPanelColumns) {
    I16 w[kPanelVectors];
    unroll<0, kPanelVectors>([&](auto j) { w[j] = load(b + j * 2 * kLanes); });
    unroll<0, Rows>([&](auto r) {
      std::int32_t pair;
      __builtin_memcpy(&pair, a + r * kChunk + 2 * p, sizeof pair);
      const I16 x = reinterpret<std::int16_t>(broadcast(pair));
      unroll<0, kPanelVectors>([&](auto j) { acc[r][j] = add(acc[r][j], dot_pairs(x, w[j])); });
    });
  }
  unroll<0, Rows>([&](auto r) { unroll<0, kPanelVectors>([&](auto j) { store(sums + r * kPanelColumns + j * kLanes, acc[r][j]); }); });
}

/// Rows [row, row + Rows) of a panel.
template <int Rows, class Out>
inline void gemm_tile(const Int8GemmWork& w, std::int64_t row, std::int64_t panel) {
  alignas(64) std::int16_t a[Rows * kChunk];
  alignas(64) std::int32_t sums[Rows * kPanelColumns + kPanelColumns];  // requantize reads whole quads
  const std::int64_t column = panel * kPanelColumns, pairs = (w.k + 1) / 2;
  const auto* b = static_cast<const std::int16_t*>(w.b) + panel * pairs * 2 * kPanelColumns;
  unroll<0, Rows + 1>([&](auto r) {
    unroll<0, kPanelVectors>([&](auto j) { store(sums + r * kPanelColumns + j * kLanes, load(w.initial + column + j * kLanes)); });
  });
  for (std::int64_t k = 0; k < w.k; k += kChunk) {
    const std::int64_t n = w.k - k < kChunk ? w.k - k : kChunk;
    for (int r = 0; r < Rows; ++r) widen_row(w.a + (row + r) * w.a_row + k, n, w.a_flip, a + r * kChunk);
    multiply<Rows>(a, b, (n + 1) / 2, sums);
    b += kChunk * kPanelColumns;
  }
  const int n = static_cast<int>(w.columns - column < kPanelColumns ? w.columns - column : kPanelColumns);
  for (int r = 0; r < Rows; ++r) {
    const std::int8_t* residual = w.residual.data == nullptr ? nullptr : w.residual.data + (row + r) * w.residual.row;
    Out* y = static_cast<Out*>(w.y) + (row + r) * w.y_row;
    requantize(sums + r * kPanelColumns, column, n, w.q, w.residual, residual, y, w.y_flip);
  }
}

template <class Out>
inline void plain_gemm(const Int8GemmWork& w) {
  for (std::int64_t block = 0; block < w.rows; block += w.block_rows) {
    const std::int64_t end = block + w.block_rows < w.rows ? block + w.block_rows : w.rows;
    for (std::int64_t p = w.panel_begin; p < w.panel_end; ++p) {
      std::int64_t row = block;
      for (; row + kTileRows <= end; row += kTileRows) gemm_tile<kTileRows, Out>(w, row, p);
      for (; row + 2 <= end; row += 2) gemm_tile<2, Out>(w, row, p);
      if (row < end) gemm_tile<1, Out>(w, row, p);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
