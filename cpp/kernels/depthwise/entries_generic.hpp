// The generic depthwise kernel, last in the registry. A line above it adds a specialised kernel.
#pragma once

#include "kernels/depthwise/few_taps.hpp"
#include "kernels/depthwise/square.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

// Compiled in units of their own.
void last_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end);
void depthwise_multiplied(const DepthwiseWork& w);

void whole_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end) {
  const FewTaps few(w);
  if (few.fits()) return few.run(v_begin, v_end);
  blocks_of<WholeChannels>(w, v_begin, v_end);
}

void depthwise_generic(const DepthwiseWork& w) {
  if (w.multiplier > 1) return depthwise_multiplied(w);
  const std::int64_t whole = at_least(at_most(w.v_end, w.channels / kLanes), w.v_begin);
  if (whole == w.v_end) return whole_blocks(w, w.v_begin, w.v_end);
  if (whole == w.v_begin) return last_blocks(w, w.v_begin, w.v_end);
  // A last vector that is not whole is the last whole one of channels, some of them once more: 20x101x24 3x1 on AVX-512 20 -> 15 us.
  constexpr int kPackedTaps = 128;
  LastChannels<kPackedTaps> last;
  const bool packed = w.x_vector == kLanes && w.kh * w.kw <= kPackedTaps;
  if (packed) last.pack(w);
  // Both of some rows, while they are in a cache.
  const std::int64_t rows = w.y_end - w.y_begin;
  for (std::int64_t row = 0; row < rows; row += 4 * kTall) {
    const std::int64_t end = at_most(row + 4 * kTall, rows), from = w.channels - kLanes;
    DepthwiseWork part = rows_of_work(w, row, end);
    part.finish = part.finish && !packed;
    if (packed) part.row_sums = nullptr;
    whole_blocks(part, w.v_begin, whole);
    if (!packed) {
      last_blocks(part, whole, w.v_end);
      continue;
    }
    part.x += from;
    part.y += from;
    part.weights = last.weights;
    part.bias += from;
    part.channels = kLanes;
    whole_blocks(part, 0, 1);
    finish_rows(w, row, static_cast<int>(end - row), w.v_begin, w.v_end);
  }
}

constexpr KernelEntry kDepthwiseGeneric[] = {
    entry<depthwise_generic>("depthwise_generic", Family::depthwise),
};
extern constexpr KernelList unit_depthwise_generic = list_of(kDepthwiseGeneric);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
