#pragma once

#include <memory>

#include "runtime/layer.hpp"

namespace dwsep::runtime {

/// A depthwise layer that takes a residual, for grouped convolutions with one input channel a group.
std::shared_ptr<const PackedLayer> make_depthwise_with_residual(const DepthwiseFilter& filter, const ConvOptions& options,
                                                                const Activation& activation);

}  // namespace dwsep::runtime
