// Layers of each family from weights that are packed already, for the instruction set in use. What packs them first is behind the public
// constructors.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/layers/layer.hpp"
#include "runtime/layers/packing.hpp"

namespace dwsep::runtime {

struct PackedSqueezeExcite {
  PackedMatrix reduce, excite;
  Activation reduce_activation, excite_activation;
};

// All throw std::invalid_argument when options are out of range or weights do not fit each other.

std::shared_ptr<const PackedLayer> make_depthwise(PackedDepthwise filter, const ConvOptions& options, const Activation& activation);

std::shared_ptr<const PackedLayer> make_pointwise(PackedMatrix filter, const Activation& activation);

std::shared_ptr<const PackedLayer> make_separable(PackedDepthwise depthwise, PackedMatrix pointwise, const ConvOptions& options,
                                                  const Activation& depthwise_activation, const Activation& activation);

std::shared_ptr<const PackedLayer> make_gated_separable(PackedDepthwise depthwise, PackedMatrix pointwise, const ConvOptions& options,
                                                        const Activation& depthwise_activation, const Activation& activation,
                                                        PackedSqueezeExcite squeeze_excite);

std::shared_ptr<const PackedLayer> make_inverted_residual(PackedMatrix expand, PackedDepthwise depthwise, PackedMatrix project,
                                                          const ConvOptions& options, const Activation& expand_activation,
                                                          const Activation& depthwise_activation, const Activation& activation,
                                                          std::optional<PackedSqueezeExcite> squeeze_excite = std::nullopt);

/// One matrix for each group, of (kh * kw * in / groups, out / groups).
std::shared_ptr<const PackedLayer> make_standard(std::vector<PackedMatrix> groups, std::int64_t kh, std::int64_t kw, std::int64_t in,
                                                 std::int64_t out, const ConvOptions& options, const Activation& activation);

}  // namespace dwsep::runtime
