// How depthwise kernels walk a piece of work: strips of channels, then groups of rows, the tallest that fit first.
#pragma once

#include "kernels/depthwise/slide.hpp"
#include "kernels/depthwise/tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <int... N>
struct Sizes {};

/// The input rows that `Rows` output rows from row oy on read.
template <class F, int Rows>
struct InputRows {
  static constexpr int kCount = (Rows - 1) * F::SH + F::KH;
  const float* at[kCount];
  bool all = true;

  InputRows(const DepthwiseWork& w, std::int64_t oy) {
    for (int i = 0; i < kCount; ++i) {
      at[i] = input_row(w, oy * F::SH - w.pad_top + i);
      all = all && at[i] != nullptr;
    }
  }
};

/// Groups of TH rows for each TH in turn; f(Index<TH>, row) does one.
template <int... TH, class F>
[[gnu::always_inline]] inline void for_row_groups(Sizes<TH...>, std::int64_t begin, std::int64_t end, const F& f) {
  const auto groups = [&](auto height) {
    for (; begin + height <= end; begin += height) f(height, begin);
  };
  (groups(Index<TH>{}), ...);
}

/// Register tiles, the widest that fit first.
template <class F, class Heights, int... TW>
struct Tiled {
  static void run(const DepthwiseWork& w) {
    for (std::int64_t v = w.v_begin; v < w.v_end; v += w.strip) {
      const std::int64_t v_end = v + w.strip < w.v_end ? v + w.strip : w.v_end;
      for_row_groups(Heights{}, w.y_begin, w.y_end, [&](auto height, std::int64_t oy) {
        const InputRows<F, height> rows(w, oy);
        float* y = w.y + (oy - w.y_begin) * w.y_row;
        std::int64_t ox = 0;
        ((ox = tile_columns<F, height, TW>(w, rows.at, rows.all, y, ox, v, v_end)), ...);
      });
    }
  }
};

/// Sliding along the row; rows too short for that by tiles.
template <class F, class Heights>
struct Sliding {
  static void run(const DepthwiseWork& w) {
    if (w.out_width < 3) return Tiled<F, Heights, 1>::run(w);
    for_row_groups(Heights{}, w.y_begin, w.y_end, [&](auto height, std::int64_t oy) {
      const InputRows<F, height> rows(w, oy);
      float* y = w.y + (oy - w.y_begin) * w.y_row;
      for (std::int64_t v = w.v_begin; v < w.v_end; ++v) Slide<F, height>::run(w, rows.at, v, 0, w.out_width, y);
      for (int i = 0; i < height; ++i) finish_pixels(w, y + i * w.y_row, w.out_width, w.v_begin, w.v_end);
    });
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
