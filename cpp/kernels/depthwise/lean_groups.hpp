// The groups of output rows that depthwise kernels compute at a time, and the vectors of channels of a call.
#pragma once

#include "kernels/depthwise/lean_tile.hpp"
#include "kernels/depthwise/pool.hpp"
#include "kernels/depthwise/window.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The channel vectors of a call: whole ones, and a last one that is not. That is computed as the last kLanes channels, some of them once
/// more, with weights of its own; where channels do not lie side by side or are too few, by the generic kernel.
template <class F>
class LeanChannels {
 public:
  static constexpr int kTaps = F::KH * F::KW;

  explicit LeanChannels(const DepthwiseWork& w) : w_(w), whole_end_(w.channels / kLanes < w.v_end ? w.channels / kLanes : w.v_end) {
    if (whole_end_ == w.v_end) return;
    if (w.x_vector != kLanes || whole_end_ == w.v_begin) {
      masked_ = true;
      return;
    }
    packed_.pack(w);
    last_ = true;
  }

  ChannelGroup group(std::int64_t v) const { return {v * w_.x_vector, w_.weights + v * kTaps * kLanes, w_.bias + v * kLanes, v * kLanes}; }
  std::int64_t whole_end() const { return whole_end_; }
  bool last() const { return last_; }
  ChannelGroup last_group() const { return {w_.channels - kLanes, packed_.weights, w_.bias + w_.channels - kLanes, w_.channels - kLanes}; }
  bool masked() const { return masked_; }

 private:
  const DepthwiseWork& w_;
  std::int64_t whole_end_;
  bool last_ = false, masked_ = false;
  LastChannels<kTaps> packed_;
};

/// Whether strips of channels are copied: on few registers, and not where it is not worth the code.
constexpr bool kCopiesRows = kRegisters < 32 && kFusedMultiplyAdd;

/// Which rows of a group's input exist, of those cases that kernels are compiled for: all; half a filter missing on one side or, with
/// stride 2 and of even filters, one row less; half a filter on both.
template <class F>
struct RowCases {
  static constexpr int kMost = F::KH / 2, kLeast = F::SH > 1 && kMost > 1 ? kMost - 1 : (F::KH - 1) / 2, kSide = kMost - kLeast + 1;
  static constexpr int kCount = 2 + 2 * kSide;
  static constexpr int before(int i) { return i == kCount - 1 ? kMost : i == 0 || i > kSide ? 0 : kLeast + i - 1; }
  static constexpr int behind(int i) { return i == kCount - 1 ? kMost : i <= kSide ? 0 : kLeast + i - 1 - kSide; }
};

/// Of `outputs` in groups of at most `most`, as equal as can be: the size of the first group.
inline std::int64_t even_group(std::int64_t outputs, std::int64_t most) {
  const std::int64_t groups = (outputs + most - 1) / most;
  return (outputs + groups - 1) / groups;
}

/// Copies rows [begin, end) of `source`, as many channels as the work has, whole lines, to its ring.
[[gnu::noinline]] inline void copy_to_ring(const DepthwiseWork& w, std::int64_t begin, std::int64_t end) {
  // Vectors may lie anywhere, for all that a compiler knows: what it reads of `w` in a loop it reads again after each.
  const std::int64_t width = w.width, step = w.x_pixel, from_step = w.source->x_pixel, channels = w.channels;
  for (; begin < end; ++begin) {
    const float* from = input_row(*w.source, begin);
    float* to = const_cast<float*>(input_row(w, begin));
    for (std::int64_t i = width; i > 0; --i, from += from_step, to += step) {
      for (std::int64_t c = 0; c < channels; c += 2 * kLanes) {
        store(to + c, load(from + c));
        store(to + c + kLanes, load(from + c + kLanes));
      }
    }
  }
}

/// Some output rows of one image and what they read.
template <class F, int TH>
struct RowGroup {
  std::int64_t row, height;  ///< from y_begin on
  std::int64_t end;          ///< of the input rows
  int rows_case;             ///< or negative: no kernel is compiled for what is missing
  const float* input[(TH - 1) * F::SH + F::KH];

  /// The tallest group that a kernel is compiled for, or one row.
  RowGroup(const DepthwiseWork& w, std::int64_t first) : row(first), height(even_group(w.y_end - w.y_begin - first, TH)) {
    const std::int64_t top = (w.y_begin + row) * F::SH - w.pad_top;
    while ((rows_case = find(top, count(), w.height)) < 0 && height > 1) --height;
    for (int i = 0; i < count(); ++i) input[i] = input_row(w, top + i);
    end = at_most(top + count(), w.height);
  }

 private:
  int count() const { return static_cast<int>(height - 1) * F::SH + F::KH; }
  static int find(std::int64_t top, std::int64_t rows, std::int64_t size) {
    const std::int64_t before = top < 0 ? -top : 0, behind = top + rows > size ? top + rows - size : 0;
    for (int i = 0; i < RowCases<F>::kCount; ++i) {
      if (before == RowCases<F>::before(i) && behind == RowCases<F>::behind(i)) return i;
    }
    return -1;
  }
};

/// Groups of at most TH rows: compute(group, y) does all whole vectors of channels and the last group of them. The generic kernel does what
/// no kernel is compiled for: rows of filters taller than the image, a last vector of channels that do not lie side by side.
template <class F, int TH, class Compute>
[[gnu::always_inline]] inline void for_lean_groups(const DepthwiseWork& w, const LeanChannels<F>& channels, const Compute& compute) {
  if (channels.masked() && channels.whole_end() == w.v_begin) return depthwise_generic(w);
  std::int64_t copied = at_least(w.y_begin * F::SH - w.pad_top, 0);
  for (std::int64_t row = 0; row < w.y_end - w.y_begin;) {
    const RowGroup<F, TH> group(w, row);
    if (kCopiesRows && w.source != nullptr) {
      copy_to_ring(w, copied, group.end);
      copied = at_least(copied, group.end);
    }
    std::int64_t rest = w.v_begin;
    if (group.rows_case >= 0) {
      compute(group, w.y + row * w.y_row);
      rest = channels.masked() ? channels.whole_end() : w.v_end;
    }
    if (rest < w.v_end) {
      DepthwiseWork part = rows_of_work(w, row, row + group.height);
      part.finish = false;
      part.row_sums = nullptr;
      part.source = nullptr;
      part.v_begin = rest;
      depthwise_generic(part);
    }
    finish_rows(w, row, static_cast<int>(group.height), w.v_begin, w.v_end);
    row += group.height;
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
