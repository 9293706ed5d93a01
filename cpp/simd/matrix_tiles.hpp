// AMX: registers of 16 rows x 64 bytes, and sums of products of bytes, four to a lane of int32, of all pairs of rows and columns.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Two by two tiles of sums (0 to 3), two of x (4, 5), two of weights (6, 7).
struct MatrixTiles {
  static constexpr int kRows = 16, kBytes = 64;

  /// Rows of the upper and of the lower tiles of x and of sums, each 1 to 16. Clears all tiles.
  static void configure(int upper, int lower) {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {};
    } config;
    const int rows[8] = {upper, upper, lower, lower, upper, lower, kRows, kRows};
    for (int i = 0; i < 8; ++i) config.rows[i] = static_cast<std::uint8_t>(rows[i]);
    asm volatile("" : : "r"(&config) : "memory");  // GCC takes the instruction to read 8 bytes
    _tile_loadconfig(&config);
  }
  static void release() { _tile_release(); }

  /// The compiler does not see that tiles read and write memory.
  [[gnu::always_inline]] static inline void fence() { asm volatile("" ::: "memory"); }

  /// Sums begin with the same row of 16 in every row.
  template <int Columns, bool Lower>
  [[gnu::always_inline]] static inline void start(const std::int32_t* initial) {
    _tile_loadd(0, initial, 0);
    if constexpr (Columns > 1) _tile_loadd(1, initial + 16, 0);
    if constexpr (Lower) _tile_loadd(2, initial, 0);
    if constexpr (Lower && Columns > 1) _tile_loadd(3, initial + 16, 0);
  }
  /// Adds the products of 64 bytes of each row of x, and of the rows of `lower`, with 16 rows of quads of weights.
  template <int Columns, bool Lower, bool Unsigned>
  [[gnu::always_inline]] static inline void add(const std::int8_t* x, const std::int8_t* lower, std::int64_t x_row,
                                                const std::int8_t* weights) {
    constexpr int row = Columns * kBytes;
    _tile_loadd(6, weights, row);
    _tile_loadd(4, x, x_row);
    multiply<Unsigned, 0>();
    if constexpr (Lower) {
      _tile_loadd(5, lower, x_row);
      multiply<Unsigned, 2>();
    }
    if constexpr (Columns > 1) {
      _tile_loadd(7, weights + kBytes, row);
      multiply<Unsigned, 1>();
      if constexpr (Lower) multiply<Unsigned, 3>();
    }
  }
  template <int Columns, bool Lower>
  [[gnu::always_inline]] static inline void store(std::int32_t* sums, std::int32_t* lower, std::int64_t row) {
    const std::int64_t bytes = row * 4;
    _tile_stored(0, sums, bytes);
    if constexpr (Columns > 1) _tile_stored(1, sums + 16, bytes);
    if constexpr (Lower) _tile_stored(2, lower, bytes);
    if constexpr (Lower && Columns > 1) _tile_stored(3, lower + 16, bytes);
  }

 private:
  // Compilers want the numbers of tiles spelled.
  template <bool Unsigned, int Sums>
  [[gnu::always_inline]] static inline void multiply() {
    if constexpr (Unsigned) {
      if constexpr (Sums == 0) _tile_dpbusd(0, 4, 6);
      if constexpr (Sums == 1) _tile_dpbusd(1, 4, 7);
      if constexpr (Sums == 2) _tile_dpbusd(2, 5, 6);
      if constexpr (Sums == 3) _tile_dpbusd(3, 5, 7);
    } else {
      if constexpr (Sums == 0) _tile_dpbssd(0, 4, 6);
      if constexpr (Sums == 1) _tile_dpbssd(1, 4, 7);
      if constexpr (Sums == 2) _tile_dpbssd(2, 5, 6);
      if constexpr (Sums == 3) _tile_dpbssd(3, 5, 7);
    }
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
