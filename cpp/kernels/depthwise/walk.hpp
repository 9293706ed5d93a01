// The loops of depthwise kernels that slide with their weights in registers: groups of rows, the tallest that fit first.
#pragma once

#include "kernels/depthwise/lean_walk.hpp"
#include "kernels/depthwise/slide.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Floats by which vectors begin before channel `begin`, so that loads of an unaligned image do not cross cache lines. With stride 2, where
/// a vector of outputs takes 4.5 loads, that is worth one vector more and stores that cross: 103 -> 91 us on 112x112x64, 129 -> 109 on
/// 112x112x96. With stride 1 it is not: 80 -> 86 on 56x56x128.
template <class F>
int line_shift(const DepthwiseWork& w, std::int64_t begin, std::int64_t end) {
  const bool whole_lines = w.x_vector == kLanes && w.x_pixel % kLanes == 0 && w.x_row % kLanes == 0;
  if (!kMasks || F::SW == 1 || end - begin < 4 * kLanes || !whole_lines) return 0;
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(w.x + begin) / sizeof(float) % kLanes);
}

/// Groups of R rows, then the rest as one. Of at least kPhases outputs.
template <class F, int R>
struct Sliding {
  static void run(const DepthwiseWork& w) { rows<R>(w, w.y_begin); }

 private:
  template <int Rows>
  static void rows(const DepthwiseWork& w, std::int64_t oy) {
    const std::int64_t begin = w.v_begin * kLanes, end = w.v_end * kLanes < w.channels ? w.v_end * kLanes : w.channels;
    const int shift = line_shift<F>(w, begin, end);
    for (; oy + Rows <= w.y_end; oy += Rows) {
      const float* input[Slide<F, Rows>::kRows];
      for (int i = 0; i < Slide<F, Rows>::kRows; ++i) input[i] = input_row(w, oy * F::SH - w.pad_top + i);
      float* y = w.y + (oy - w.y_begin) * w.y_row;
      for (std::int64_t c = begin - shift; c < end; c += kLanes) {
        const Lanes lanes{c < begin ? static_cast<int>(begin - c) : 0, end - c < kLanes ? static_cast<int>(end - c) : kLanes};
        Slide<F, Rows>::run(w, input, c, lanes, 0, w.out_width, y);
      }
      finish_rows(w, oy - w.y_begin, Rows, w.v_begin, w.v_end);
    }
    if constexpr (Rows > 1) rows<Rows - 1>(w, oy);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
