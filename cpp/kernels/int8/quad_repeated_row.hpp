// A row of quads of a convolution with a channel multiplier: each 16 bytes of outputs pick theirs from up to 16 of x.
#pragma once

#include "kernels/int8/quad_layout.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Where a row of quads finds a row of x.
struct QuadSource {
  const std::int8_t* at;  ///< column 0, or what a tap in the padding reads
  std::int64_t pixel;
};

/// Unrolled where a piece of a vector is no branch.
template <class F>
[[gnu::always_inline]] inline void each_source(const F& f) {
  if constexpr (kMasks) {
    unroll<0, 4>(f);
  } else {
    for (int i = 0; i < 4; ++i) f(i);
  }
}

class RepeatedRow {
 public:
  /// Quads are `wide` columns wide, their bytes xored with flip.
  RepeatedRow(const Int8DepthwiseWork& w, std::int64_t channel, std::int64_t wide, std::uint8_t flip)
      : w_(w), channel_(channel), wide_(wide), right_((wide - 1) * w.dilation_w), flip_(flip) {}

  /// The row whose first row of x is y and whose first column is `first`.
  [[gnu::noinline]] void fill(const QuadLayout& l, std::int64_t y, std::int64_t first, std::int8_t* to) const {
    const std::int64_t inputs = w_.channels / w_.multiplier, each = kSixteens / l.pixels;  // pieces of a pixel
    const int n = static_cast<int>(inputs < 16 ? inputs : 16);
    Places r;
    find_repeats(l, y, each, n, r);
    // Pieces of few inputs are read whole where pixels follow each other and the row does not end.
    const bool whole = !kMasks && w_.x_pixel == inputs;
    const std::int64_t reach = (l.pixels - 1) * l.step + right_ + (whole && n < 16 ? 15 / inputs : 0);
    const I8 pick = load(r.picks), f = broadcast(static_cast<std::int8_t>(flip_));
    for (std::int64_t phase = 0; phase < l.phases; ++phase) {
      std::int64_t column = first + phase;
      for (std::int64_t u = 0; u < l.vectors; ++u, column += l.pixels * l.step, to += I8::kLanes) {
        const bool inside = column >= 0 && column + reach < w_.width;
        I8 v[4];
        each_source([&](auto i) __attribute__((always_inline)) {
          const std::int8_t* at[kSixteens];
          const std::int8_t* const source = r.from[i].at + column * r.from[i].pixel;
          for (int p = 0; p < kSixteens; ++p) at[p] = source + r.offset[i][p];
          if (!inside) {
#pragma GCC unroll 1
            for (int p = 0; p < kSixteens; ++p) {
              const std::int64_t x = column + p / each * l.step + i % 2 * right_;
              if (x < 0 || x >= w_.width) at[p] = w_.x_zero + r.begin[p];
            }
          }
          v[i] = bit_xor(lane_pick(load_pieces<kSixteens>(at, inside && whole ? 16 : n), pick), f);
        });
        store_quads(v[0], v[1], v[2], v[3], to, l.plane());
      }
    }
  }

 private:
  /// Where 16 bytes of outputs each, of all pixels of a vector, find theirs.
  struct Places {
    std::int8_t picks[kQuadChannels], zeros[kQuadChannels];
    std::int64_t begin[kSixteens], offset[4][kSixteens];
    QuadSource from[4];
  };
  [[gnu::noinline, gnu::cold]] void find_repeats(const QuadLayout& l, std::int64_t y, std::int64_t each, int n, Places& r) const {
    store(r.zeros, load_up_to(w_.x_zero, n));
    for (int p = 0; p < kSixteens; ++p) {
      const std::int64_t c = channel_ + p % each * 16, most = w_.channels / w_.multiplier - n;
      std::int64_t at = c / w_.multiplier, times = c % w_.multiplier;
      r.begin[p] = at < most ? at : most;
      for (int j = 0; j < 16; ++j) {
        r.picks[16 * p + j] = static_cast<std::int8_t>(at - r.begin[p]);
        if (++times == w_.multiplier) {
          times = 0;
          ++at;
        }
      }
    }
    for (int i = 0; i < 4; ++i) {
      const std::int64_t row = y + (wide_ == 1 ? i : i / 2) * w_.dilation_h, right = i % 2 * right_;
      r.from[i] = {n < 16 ? r.zeros : w_.x_zero, 0};
      if (row >= 0 && row < w_.height) r.from[i] = {w_.x + row * w_.x_row, w_.x_pixel};
      for (int p = 0; p < kSixteens; ++p) r.offset[i][p] = r.begin[p] + (right + p / each * l.step) * r.from[i].pixel;
    }
  }

  const Int8DepthwiseWork& w_;
  std::int64_t channel_, wide_, right_;
  std::uint8_t flip_;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
