// The int8 depthwise convolution's tiles: what they are given, and how their outputs are stored that they do not round or store themselves.
#pragma once

#include <cstddef>

#include "kernels/int8/quad_requantize.hpp"
#include "kernels/int8/quad_rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Tiles of one strip of a group of rows and a panel.
struct QuadWindow {
  std::int8_t* const* rows;  ///< of quads
  const std::int64_t* taps;  ///< bytes from the first position of an output to those of its steps
  std::int64_t plane;        ///< bytes from one vector of a panel to the next
  std::int64_t quads, steps;
  const std::int8_t *const *products, *const *products_end;  ///< 16 registers without dot products: instead of rows and taps
  const std::int8_t* weights;                                ///< of the panel, as are the initial sums and multipliers
  const std::int32_t* initial;
  const float* multiplier;
  void (*store)(const QuadWindow& t, const std::int32_t* sums, std::int64_t column, std::int64_t width);
  const void* panel;  ///< its PanelStore
  std::byte* y;
  std::int64_t y_row, y_pixel;
  const std::int8_t* residual;
  const Int8Residual* residual_type;
  std::int64_t columns;  ///< of y
  int along, down;       ///< columns and rows of y that share quads; `down` of them to store
  int pixels;            ///< that share a vector
  int spill;             ///< pixels that a whole piece reaches into behind its own
  int channels;
  bool lean;  ///< bytes without residual, of sums that are sure to be within int32: tiles round their own
  // Where a vector's bytes are next to each other in y:
  std::int64_t step;   ///< bytes of y from vector to vector
  std::int64_t whole;  ///< vectors of which all pixels exist
  // kLean16: groups of rows, whose tiles are one call and the last of which has `down`, and bytes from one's quads to the next's
  std::int64_t groups, group_bytes;
  std::int64_t position;  ///< quad_linear.hpp: bytes from a vector's quads to the next's
};

/// Whether tiles round their own sums where the window is lean.
constexpr bool kTilesRound = sizeof(typename Dot::Sums) == sizeof(I32);

/// Stores a vector of `count` pixels that share it, `step` bytes from one to the next.
[[gnu::always_inline]] inline void store_pixels(std::int8_t* y, std::int64_t step, I8 v, int n, int pixels, int count) {
  if constexpr (kSixteens > 1) {
    if (count == pixels && n == step && n * pixels == I8::kLanes) return store(y, v);
    if constexpr (kSixteens > 2) {
      if (pixels == 2) return store_pieces<2>(y, step, v, n, count);
    }
    store_pieces<kSixteens>(y, step, v, n, count);
  }
}

/// Stores a tile of `width` vectors. Lean: bytes without residual, of sums that are sure to be within int32.
template <class Out, bool Lean>
[[gnu::always_inline]] inline void store_rows(const QuadWindow& t, const std::int32_t* sums, std::int64_t column, std::int64_t width) {
  const auto& panel = *static_cast<const PanelStore<Out, 4, Order::packed>*>(t.panel);
  // Copies: bytes that are stored could be anything's.
  const int along = t.along, pixels = t.pixels, channels = t.channels;
  const std::int64_t vector = pixels * along, columns = t.columns, y_step = vector * t.y_pixel, y_pixel = along * t.y_pixel;
  const float* const multiplier = t.multiplier;
  for (int dy = 0; dy < t.down; ++dy) {
    for (int dx = 0; dx < along; ++dx, sums += width * kQuadChannels) {
      std::int64_t x = column * vector + dx;
      Out* y = reinterpret_cast<Out*>(t.y) + dy * t.y_row + x * t.y_pixel;
      const std::int8_t* residual =
          Lean || t.residual == nullptr ? nullptr : t.residual + dy * t.residual_type->row + x * t.residual_type->pixel;
      const std::int32_t *from = sums, *const end = sums + width * kQuadChannels;
      for (; from < end && x < columns; from += kQuadChannels, x += vector, y += y_step) {
        RealSums<4> real;
        unroll<0, 4>([&](auto v) __attribute__((always_inline)) { real.set(v, load(from + v * kLanes), multiplier); });
        if (!Lean && residual != nullptr) {
          real.template add_residual<Order::packed>(residual, channels, *t.residual_type);
          residual += vector * t.residual_type->pixel;
        }
        const std::int64_t left = columns - x;
        const int count = left < vector ? static_cast<int>((left + along - 1) / along) : pixels;
        if constexpr (sizeof(Out) == 1) {
          const I8 bytes = panel.template stored<Lean>(real);
          if (pixels == 1) {
            store_up_to(y, bytes, channels);
          } else {
            store_pixels(y, y_pixel, bytes, channels, pixels, count);
          }
        } else {
          panel.store_pixels(y, y_pixel, channels, pixels, count, real);
        }
      }
    }
  }
}
template <class Out>
[[gnu::flatten, gnu::noinline]] inline void store_window(const QuadWindow& t, const std::int32_t* sums, std::int64_t column,
                                                         std::int64_t width) {
  if constexpr (sizeof(Out) == 1 && !kTilesRound) {
    if (t.lean) return store_rows<Out, true>(t, sums, column, width);
  }
  store_rows<Out, false>(t, sums, column, width);
}

/// Stores a tile's bytes where a vector's pixels lie apart. Whole pieces where the next pixel's take the place of what is too much.
[[gnu::noinline, gnu::noclone]] inline void store_apart(const QuadWindow& t, const std::int8_t* bytes, std::int64_t column,
                                                        std::int64_t width) {
  const std::int64_t first = column * t.pixels * t.along, y_step = t.along * t.y_pixel;
  const auto copy = [&](auto piece) __attribute__((always_inline)) {
    for (int dy = 0; dy < t.down; ++dy) {
      for (int dx = 0; dx < t.along; ++dx, bytes += width * kQuadChannels) {
        auto* y = reinterpret_cast<std::int8_t*>(t.y) + dy * t.y_row + (first + dx) * t.y_pixel;
        const std::int64_t left = (t.columns - first - dx + t.along - 1) / t.along, all = width * t.pixels,
                           pixels = left < all ? left : all;
        const std::int64_t safe = t.channels == y_step ? left - t.spill : 0, most = safe < pixels ? safe : pixels,
                           whole = t.channels == piece ? pixels : most;
        const std::int8_t* from = bytes;
        for (std::int64_t i = 0; i < whole; ++i, y += y_step, from += piece) __builtin_memcpy(y, from, piece);
        for (std::int64_t i = whole < 0 ? 0 : whole; i < pixels; ++i, y += y_step, from += piece) {
          if (kLean16 && t.channels > 16) {
            __builtin_memcpy(y, from, 16);
            __builtin_memcpy(y + t.channels - 16, from + t.channels - 16, 16);
          } else {
            store_up_to(y, load(from), t.channels);
          }
        }
      }
    }
  };
  if constexpr (kLean16) {
    if (t.pixels == 1) return copy(Index<kQuadChannels>{});
  }
  if constexpr (kSixteens > 2) {
    if (t.pixels == 2) return copy(Index<kQuadChannels / 2>{});
  }
  copy(Index<16>{});
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
