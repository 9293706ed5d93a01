// The two axes of an image, as the blocks of the generic depthwise kernel see them.
#pragma once

#include "kernels/depthwise/rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Lists of taps take filters of so many on every processor; those of more may read copies of windows.
constexpr std::int64_t kFewTaps = 64;

/// Rows or columns.
struct Axis {
  std::int64_t size, outputs;  ///< of the input, of the output
  std::int64_t taps, stride, dilation, pad;
  std::int64_t x, y;  ///< floats from one position to the next
  std::int64_t ring;  ///< position r lies in slot r % ring; `size` if each has a place of its own
};

/// ceil(a / b), 0 where a is negative.
inline std::int64_t steps_over(std::int64_t a, std::int64_t b) { return a <= 0 ? 0 : b == 1 ? a : (a + b - 1) / b; }

inline std::int64_t at_most(std::int64_t a, std::int64_t limit) { return a < limit ? a : limit; }
inline std::int64_t at_least(std::int64_t a, std::int64_t limit) { return a > limit ? a : limit; }

/// Outputs `Share` taps apart, so that `Rows` of them from `output` on share inputs: step j, the j-th input position that they read, is tap
/// j - r * Share of output r. The first and the last kSome steps belong to some of them only.
template <int Rows, int Share>
struct Steps {
  static constexpr int kSome = (Rows - 1) * Share;
  std::int64_t output;
  std::int64_t slot;          ///< of step 0, if it existed
  unsigned some;              ///< a bit for each of the first, then of the last kSome steps: whether it exists
  std::int64_t begin, count;  ///< the steps between, of which these exist
  std::int64_t wrap;          ///< of these, those before the ring begins again
  std::int64_t x, taps;       ///< floats to the next input; taps
  bool all;                   ///< every step exists, in order

  [[gnu::noinline]] Steps(const Axis& a, std::int64_t first)
      : output(first), slot(first * a.stride - a.pad), some(0), x(a.dilation * a.x), taps(a.taps) {
    const std::int64_t position = slot;
    const std::int64_t padding = steps_over(-position, a.dilation), exist = at_least(steps_over(a.size - position, a.dilation), padding);
    const auto exists = [&](std::int64_t j) { return j >= padding && j < exist; };
    for (int i = 0; i < kSome; ++i) {
      some |= (exists(i) ? 1U : 0U) << i | (exists(a.taps + i) ? 1U : 0U) << (i + kSome);
    }
    begin = at_least(padding, kSome);
    count = at_least(at_most(exist, a.taps) - begin, 0);
    wrap = count;
    if (a.ring < a.size) {
      const std::int64_t before = begin * a.dilation;
      slot = (position + before) % a.ring - before;
      wrap = at_most(steps_over(a.ring - (slot + before), a.dilation), count);
    }
    all = padding == 0 && exist >= a.taps + kSome && wrap == count;
  }
};

/// Which taps of the other axis meet which of some adjacent outputs. Those that meet all count only where outputs are a whole block, and
/// the input spans at least as much.
struct Taps {
  std::int64_t begin, all_begin, all_end, end;  ///< taps that meet some of the outputs, and those that meet all of them
  std::int64_t position;                        ///< of tap 0 for the first output

  Taps(const Axis& a, std::int64_t output, int outputs, int block) : position(output * a.stride - a.pad) {
    const std::int64_t last = position + (outputs - 1) * a.stride;
    begin = at_most(steps_over(-last, a.dilation), a.taps);
    end = at_least(at_most(steps_over(a.size - position, a.dilation), a.taps), begin);
    all_begin = all_end = end;
    if (outputs < block || last - position >= a.size) return;
    all_begin = at_least(at_most(steps_over(-position, a.dilation), end), begin);
    all_end = at_least(at_most(steps_over(a.size - last, a.dilation), end), all_begin);
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
