// Layers of each family that compute with int8. All throw std::invalid_argument as the public constructors do.
#pragma once

#include <memory>

#include "runtime/layers/int8_stage.hpp"
#include "runtime/layers/layer.hpp"

namespace dwsep::runtime {

/// Checked filters; `name`: of the weights, in messages.
Int8Filter int8_filter(const PointwiseFilter& f, const char* name);
Int8Filter int8_filter(const DepthwiseFilter& f, const ConvOptions& options, const char* name);

std::shared_ptr<const PackedLayer> make_int8_pointwise(const PointwiseFilter& f, const Activation& activation, const TensorTypes& types);
std::shared_ptr<const PackedLayer> make_int8_depthwise(const DepthwiseFilter& f, const ConvOptions& options, const Activation& activation,
                                                       const TensorTypes& types);
std::shared_ptr<const PackedLayer> make_int8_standard(const StandardFilter& f, const ConvOptions& options, const Activation& activation,
                                                      const TensorTypes& types);

/// The parts of a fused layer.
struct Int8BlockParts {
  const PointwiseFilter* expand;  ///< or null
  const DepthwiseFilter& depthwise;
  const PointwiseFilter& project;
  const ConvOptions& options;
  const Activation &expand_activation, &depthwise_activation, &activation;
};
std::shared_ptr<const PackedLayer> make_int8_block(const Int8BlockParts& parts, const TensorTypes& types);

}  // namespace dwsep::runtime
