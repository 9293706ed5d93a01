// The last step of the fused operators: the matrix product of a depthwise output that scratch holds, times the gate of squeeze-excite
// where there is one.
#pragma once

#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {

/// The arguments of a call.
struct FusedCall {
  Geometry g;
  const ConstTensor& x;
  const Tensor& y;
  const ConstTensor* residual;
};

/// The depthwise output of an image, whose channels lie in one or more segments; data is its pixel 0.
struct Middle {
  float* data;
  std::int64_t pixel;
  const Segment* segments;
  std::int64_t segment_count;
};

/// Output pixels of an image from their depthwise output.
void run_projection(const PointwiseStage& project, const FusedCall& c, std::int64_t image, Range pixels, Range panels,
                    const Middle& middle);
/// The same, all panels, of the depthwise output times the gate, which is multiplied in place.
void run_gated_projection(const PointwiseStage& project, const FusedCall& c, std::int64_t image, Range pixels, const Middle& middle,
                          const float* gate);

/// Multiplies pixels of some segments by the gate.
void scale(const Middle& middle, Range pixels, const float* gate);

}  // namespace dwsep::runtime
