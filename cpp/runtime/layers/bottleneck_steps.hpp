// The steps of the inverted residual, on rows, panels and pixels of one image: expansion into a ring, depthwise out of it. (The
// projection is one of its own.)
#pragma once

#include <algorithm>

#include "runtime/layers/projection.hpp"
#include "runtime/layers/squeeze_excite.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {

class BottleneckSteps {
 public:
  using Call = FusedCall;
  /// Expanded activations in scratch: [vector][row slot][pixel][lane], so that depthwise reads whole lines whatever the channels are.
  /// With a channel multiplier, whose vectors read across vectors: [row slot][pixel][channel].
  struct Ring {
    float* data;
    std::int64_t rows, row, pixel, vector, floats;
  };
  /// Where depthwise puts its channels: y is at the first pixel, and at the channel 0 that it would have. Row sums are of row 0 of the
  /// image, or null.
  struct DepthwiseOutput {
    float* y;
    std::int64_t pixel;
    float* row_sums = nullptr;
    std::int64_t row_sums_stride = 0;
  };

  /// Throws std::invalid_argument when the weights do not fit each other.
  BottleneckSteps(PackedMatrix expand, PackedDepthwise depthwise, PackedMatrix project, const ConvOptions& options,
                  const Activation& expand_activation, const Activation& depthwise_activation, const Activation& activation);

  const PointwiseStage& expand() const { return expand_; }
  const DepthwiseStage& depthwise() const { return depthwise_; }
  const PointwiseStage& project() const { return project_; }
  int lanes() const { return expand_.packed().lanes; }

  /// A ring without memory yet.
  Ring ring_of(std::int64_t rows, std::int64_t width, std::int64_t vectors) const;
  /// First and last vector of expanded channels of a range of panels.
  Range vectors_of(Range panels) const;

  /// Expands rows of an image into slots of the ring, panels [panels) only; the ring's vector 0 is `first_vector`.
  void run_expand(const Call& c, std::int64_t image, Range rows, Range panels, std::int64_t first_vector, const Ring& ring) const;
  /// Vectors [vectors) of output rows.
  void run_depthwise(const Call& c, Range rows, Range vectors, std::int64_t first_vector, const Ring& ring,
                     const DepthwiseOutput& out) const;

 private:
  PointwiseStage expand_;
  DepthwiseStage depthwise_;
  PointwiseStage project_;
};

}  // namespace dwsep::runtime
