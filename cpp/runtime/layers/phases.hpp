// One axis of a transposed convolution, taken apart by the stride.
//
// Output pixel o is pixel q * stride + phase of the uncropped output. It meets the taps k with k * dilation = phase (modulo the stride), at
// inputs q - (k * dilation - phase) / stride: for each phase a convolution of stride 1 over the inputs by a part of the taps.
#pragma once

#include <cstdint>
#include <vector>

namespace dwsep::runtime {

/// Stride, filter and output of one axis.
struct TransposedAxis {
  std::int64_t stride, taps, dilation;
  std::int64_t pad_before, pad_after, output_padding;

  /// Pixels of the output for so many of the input, which may be none or fewer.
  std::int64_t output(std::int64_t input) const {
    return (input - 1) * stride + (taps - 1) * dilation + 1 - pad_before - pad_after + output_padding;
  }
};

/// Adjacent phases that meet equally many taps at the same inputs.
struct PhaseGroup {
  std::int64_t first;              ///< phase
  std::vector<std::int64_t> tap;   ///< for each phase, its last tap, which meets the first input
  std::int64_t taps, tap_step;     ///< taps of each phase; those after `tap` are so much smaller
  std::int64_t shift, input_step;  ///< q meets inputs q - shift, q - shift + input_step, ...

  std::int64_t short_phases = 0;  ///< so many of the last ones do not meet the first of the inputs

  std::int64_t phases() const { return static_cast<std::int64_t>(tap.size()); }
};

/// The phases that meet any tap. `exact`: those that begin or end at other q are apart, so that every pixel of every q exists.
std::vector<PhaseGroup> phase_groups(const TransposedAxis& axis, bool exact);

/// All phases that meet any tap; of an axis without dilation.
PhaseGroup all_phases(const TransposedAxis& axis);

/// The q for which some phase of a group lies in the output.
struct PhaseRange {
  std::int64_t begin, end;
};
PhaseRange phase_range(const TransposedAxis& axis, const PhaseGroup& group, std::int64_t output);

}  // namespace dwsep::runtime
