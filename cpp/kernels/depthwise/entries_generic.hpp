// The generic depthwise kernel, last in the registry. A line above it adds a specialised kernel.
#pragma once

#include "kernels/depthwise/few_taps.hpp"
#include "kernels/depthwise/folded.hpp"
#include "kernels/depthwise/square.hpp"
#include "kernels/depthwise/strips.hpp"
#include "kernels/depthwise/tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

// Compiled in units of their own.
void last_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end);
void depthwise_multiplied(const DepthwiseWork& w);

/// Whether large filters read copies of windows, one vector of channels after the other: where pixels share sets of the level-1 cache, or a
/// filter exceeds the image, so that its weights outnumber it. us at lines / 16 bytes past them, Emerald Rapids, 2026-11-28:
///   AVX2      28x28x512 13x13 2834 / 3517 -> 1700 / 1687, 14x14x512 31x31 1200 / 1460 -> 740 / 753, 14x14x384 31x31 550 / 660 -> 545 / 542
///             56x56x64 51x5 2160 / 2310 -> 1043 / 1052, 28x28x256 31x5 1406 / 1651 -> 663 / 630
///   AVX-512   28x28x256 31x5 575 / 792 -> 335 / 341; the others 1354 / 1890 -> 970 / 1084, 613 / 792 -> 500 / 454, 345 / 375 -> 295 / 308
///             others lose: 56x56x96 11x11 465 -> 647
inline bool copies_windows(const DepthwiseWork& w) {
  if (w.kh == 1 || w.kh * w.kw <= kFewTaps || w.x_pixel == kLanes || w.ring < w.height) return false;
  const bool shares_sets = w.x_pixel * static_cast<std::int64_t>(sizeof(float)) % 2048 == 0;
  // The same of the rows of a block: with few registers of any filter, else of high ones where a window of all rows fits. us on Zen 3 (L1
  // 32 KB): 32x32x64 13x13 458 -> 248, 9x9 192 -> 147, 9x9 s2 91 -> 58, 56x56x256 13x13 12815 -> 4845, 28x28x384 17x17 4500 -> 2373;
  // where rows are 1 KB past a multiple of 2 KB 56x56x96 11x11 1277 -> 1438.
  const std::int64_t row = w.x_row * static_cast<std::int64_t>(sizeof(float)), step = at_most(row & -row, 4096);
  const bool high = w.kh > 2 * w.kw, fits = high ? WindowSize::all_rows(rows_of(w), columns_of(w)) > 0 : kRegisters < 32;
  const bool rows_share = fits && (w.kh + kTall) * step > w.l1_bytes;
  return shares_sets || rows_share || w.kh * w.kw >= w.height * w.width;
}

/// Computes vectors by `run` from copies of strips of channels, where pixels are a multiple of `apart` bytes apart and the level-1 cache
/// has 8 ways; returns whether it did. us at lines / 16 bytes past them, Zen 3:
///   tiles  14x14x512 4x4 118 / 151 -> 106 / 126, 5x3 98 / 140 -> 72 / 105, 7x7x1024 4x4 69 / 91 -> 38 / 38, 14x14x1024 3x9 447 / 595 ->
///          255 / 271
///   lists, of filters that read an input three times or more
///          14x14x1024 4x4 s2 150 / 277 -> 80 / 85, 6x8 s2 482 / 704 -> 227 / 221, 28x28x512 2x3 210 / 396 -> 172 / 183; but 22x22x256 5x5
///          s4 35 / 42 -> 59 / 68, 14x14x512 2x2 45 / 58 -> 53 / 42
///   blocks 14x14x1024 8x4 s2 325 / 571 -> 117 / 123, 30x30x512 6x6 1901 / 2424 -> 668 / 769, 14x14x512 1x9 139 / 160 -> 95 / 96
///   blocks of pixels that are 1 KB apart
///          28x28x256 6x6 s2 277 / 359 -> 189 / 200, but 56x56x256 6x6 1795 / 2330 -> 2202 / 2837
///   images of more than eight level-2 caches, 2 KB apart, at lines: blocks 115x15x1024 8x4 s2 5013 -> 2354, 60x60x512 6x6 s2 5253 -> 2216,
///          36x36x1024 1x9 2890 -> 1446, lists 48x48x512 4x4 s2 901 -> 726, 64x64x512 5x5 s(2, 1) 3914 -> 3409, but tiles 40x40x512 4x4
///          1115 -> 2800, 64x64x512 3x5 3129 -> 3701
[[gnu::noinline]] inline bool from_strips(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end, std::int64_t apart,
                                          void (*run)(const DepthwiseWork&), bool any_size = true) {
  const bool shares_sets = w.l1_bytes <= 32 * 1024 && w.x_pixel * static_cast<std::int64_t>(sizeof(float)) % apart == 0;
  // Of images of more than eight times the level-2 cache parts of pixels are read too slowly for tiles.
  const bool large = w.height * w.x_row / 2 > w.l2_bytes;
  if (!shares_sets || w.dilation_h > 1 || w.dilation_w > 1 || w.y_end - w.y_begin < 2 || (large && !any_size)) return false;
  DepthwiseWork some = w;
  some.v_begin = v_begin;
  some.v_end = v_end;
  const StripSize size(some);
  if (!size.fits(some)) return false;
  by_strips(some, size, run);
  return true;
}

void whole_blocks(const DepthwiseWork& w, std::int64_t v_begin, std::int64_t v_end) {
  constexpr bool kCopies = kLanes == 8 && kRegisters == 16;
  if constexpr (kFusedMultiplyAdd) {
    if (by_tiles(w, v_end)) {
      // The last strip may have fewer rows than a tile.
      const auto part_of = [](const DepthwiseWork& part) {
        part.y_end < kLowTile ? blocks_of<WholeChannels>(part, part.v_begin, part.v_end) : tiles(part, part.v_begin, part.v_end);
      };
      if (kCopies && from_strips(w, v_begin, v_end, 1024, part_of, false)) return;
      return tiles(w, v_begin, v_end);
    }
  }
  const FewTaps few(w);
  if (few.fits()) {
    const std::int64_t taps = w.kh * w.kw;
    const auto part_of = [](const DepthwiseWork& part) { FewTaps(part).run(part.v_begin, part.v_end); };
    if (kCopies && taps > 4 && taps >= 3 * w.stride_h * w.stride_w && from_strips(w, v_begin, v_end, 2048, part_of)) return;
    return few.run(v_begin, v_end);
  }
  if (copies_windows(w)) return windows_of<WholeChannels>(w, v_begin, v_end);
  const auto part_of = [](const DepthwiseWork& part) { blocks_of<WholeChannels>(part, part.v_begin, part.v_end); };
  if (kCopies && from_strips(w, v_begin, v_end, w.height * w.x_row * 2 > w.l2_bytes ? 2048 : 1024, part_of)) return;
  blocks_of<WholeChannels>(w, v_begin, v_end);
}

/// Whether image and filter are one pixel wide, as those of signals are: taken for a row of a row's taps, whose outputs share weights and
/// inputs. 200x1x256 7x1 285 -> 18 us (Zen 3).
inline bool is_column(const DepthwiseWork& w) {
  return w.kw == 1 && w.width == 1 && w.out_width == 1 && w.pad_left == 0 && w.kh > 1 && w.ring >= w.height && w.row_sums == nullptr;
}
inline DepthwiseWork column_as_row(const DepthwiseWork& w) {
  DepthwiseWork row = w;
  std::swap(row.x_row, row.x_pixel);
  std::swap(row.y_row, row.y_pixel);
  std::swap(row.residual_row, row.residual_pixel);
  std::swap(row.kh, row.kw);
  std::swap(row.stride_h, row.stride_w);
  std::swap(row.dilation_h, row.dilation_w);
  row.width = w.height;
  row.height = row.ring = 1;
  row.pad_left = w.pad_top - w.y_begin * w.stride_h;
  row.pad_top = row.y_begin = 0;
  row.out_width = w.y_end - w.y_begin;
  row.y_end = 1;
  return row;
}

void depthwise_generic(const DepthwiseWork& w) {
  if (is_column(w)) return depthwise_generic(column_as_row(w));
  if (w.multiplier > 1) return depthwise_multiplied(w);
  const std::int64_t whole = at_least(at_most(w.v_end, w.channels / kLanes), w.v_begin);
  if (whole == w.v_end) return whole_blocks(w, w.v_begin, w.v_end);
  if (whole == w.v_begin) {
    if constexpr (kLanes == 8 && kRegisters == 16) {
      const auto last = [](const DepthwiseWork& part) { last_blocks(part, part.v_begin, part.v_end); };
      const auto inner = [](const DepthwiseWork& part) { whole_blocks(part, part.v_begin, part.v_end); };
      if (const Folded folded(w); folded.fits()) return folded.run(inner, last);
    }
    return last_blocks(w, w.v_begin, w.v_end);
  }
  // A last vector that is not whole is the last whole one of channels, some of them once more: 20x101x24 3x1 on AVX-512 20 -> 15 us.
  constexpr int kPackedTaps = 128;
  LastChannels<kPackedTaps> last;
  const bool packed = w.x_vector == kLanes && w.kh * w.kw <= kPackedTaps;
  if (packed) last.pack(w);
  // Both of some rows, while they are in a cache.
  const std::int64_t rows = w.y_end - w.y_begin, band = kRegisters == 32 && by_tiles(w, whole) ? 2 * kHighTile : 4 * kTall;
  for (std::int64_t row = 0; row < rows; row += band) {
    const std::int64_t end = at_most(row + band, rows), from = w.channels - kLanes;
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
