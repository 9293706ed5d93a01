// The loops of depthwise kernels: strips of channels, then groups of rows, the tallest that fit first.
#pragma once

#include "kernels/depthwise/pool.hpp"
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

/// Groups of TH rows, for one TH after the other; f(Index<TH>, row) computes one.
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
        std::int64_t ox = 0;
        ((ox = tile_columns<F, height, TW>(w, rows.at, rows.all, oy - w.y_begin, ox, v, v_end)), ...);
        pool_rows<height>(w, oy, v, v_end);
      });
    }
  }
};

/// Floats by which vectors begin before channel `begin`, so that loads of an unaligned image do not cross cache lines. With stride 2, where
/// a vector of outputs takes 4.5 loads, that is worth one vector more and stores that cross: 103 -> 91 us on 112x112x64, 129 -> 109 on
/// 112x112x96. With stride 1 it is not: 80 -> 86 on 56x56x128.
template <class F>
int line_shift(const DepthwiseWork& w, std::int64_t begin, std::int64_t end) {
  const bool whole_lines = w.x_vector == kLanes && w.x_pixel % kLanes == 0 && w.x_row % kLanes == 0;
  if (!kMasks || F::SW == 1 || end - begin < 4 * kLanes || !whole_lines) return 0;
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(w.x + begin) / sizeof(float) % kLanes);
}

/// Sliding along the row; rows too short for that by tiles.
template <class F, class Heights>
struct Sliding {
  static void run(const DepthwiseWork& w) {
    if (w.out_width < 3) return Tiled<F, Heights, 1>::run(w);
    const std::int64_t begin = w.v_begin * kLanes, end = w.v_end * kLanes < w.channels ? w.v_end * kLanes : w.channels;
    const int shift = line_shift<F>(w, begin, end);
    for_row_groups(Heights{}, w.y_begin, w.y_end, [&](auto height, std::int64_t oy) {
      const InputRows<F, height> rows(w, oy);
      float* y = w.y + (oy - w.y_begin) * w.y_row;
      for (std::int64_t c = begin - shift; c < end; c += kLanes) {
        const Lanes lanes{c < begin ? static_cast<int>(begin - c) : 0, end - c < kLanes ? static_cast<int>(end - c) : kLanes};
        Slide<F, height>::run(w, rows.at, c, lanes, 0, w.out_width, y);
      }
      if (w.finish) finish_pixels(w, oy - w.y_begin, height, 0, w.out_width, w.v_begin, w.v_end);
      pool_rows<height>(w, oy, w.v_begin, w.v_end);
    });
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
