// The loops of depthwise kernels that slide with their weights in registers: groups of rows, the tallest that fit first.
#pragma once

#include "kernels/depthwise/lean_walk.hpp"
#include "kernels/depthwise/slide.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// All vectors of channels of a group of rows, the first from `first` on.
[[gnu::noinline]] inline void slide_vectors(const DepthwiseWork& w, const float* const* rows, std::int64_t first, float* y,
                                            void (*run)(const DepthwiseWork& w, const float* const* rows, std::int64_t channel, Lanes lanes,
                                                        std::int64_t begin, std::int64_t end, float* y)) {
  const std::int64_t begin = w.v_begin * kLanes, end = w.v_end * kLanes < w.channels ? w.v_end * kLanes : w.channels;
  for (std::int64_t c = first; c < end; c += kLanes) {
    const Lanes lanes{c < begin ? static_cast<int>(begin - c) : 0, end - c < kLanes ? static_cast<int>(end - c) : kLanes};
    run(w, rows, c, lanes, 0, w.out_width, y);
  }
}

/// Groups of R rows, then the rest as one. Of at least kPhases outputs.
template <class F, int R>
struct Sliding {
  static void run(const DepthwiseWork& w) { rows<R>(w, w.y_begin, w.v_begin * kLanes - (kLanes - shift_to_lines(w) % kLanes) % kLanes); }

 private:
  template <int Rows>
  static void rows(const DepthwiseWork& w, std::int64_t oy, std::int64_t first) {
    for (; oy + Rows <= w.y_end; oy += Rows) {
      const float* input[Slide<F, Rows>::kRows];
      for (int i = 0; i < Slide<F, Rows>::kRows; ++i) input[i] = input_row(w, oy * F::SH - w.pad_top + i);
      slide_vectors(w, input, first, w.y + (oy - w.y_begin) * w.y_row, Slide<F, Rows>::run);
      finish_rows(w, oy - w.y_begin, Rows, w.v_begin, w.v_end);
    }
    if constexpr (Rows > 1) rows<Rows - 1>(w, oy, first);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
