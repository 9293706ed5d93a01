// Layers of each family from packed weights, for the instruction set in use. The public constructors pack them first.
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

/// [1x1 expansion ->] depthwise [-> squeeze-excite] -> 1x1 projection.
struct PackedBlock {
  std::optional<PackedMatrix> expand;
  PackedDepthwise depthwise;
  std::optional<PackedSqueezeExcite> squeeze_excite;
  PackedMatrix project;
  ConvOptions options;
  Activation expand_activation, depthwise_activation, activation;
};

// All throw std::invalid_argument when options are out of range or weights do not fit each other.

std::shared_ptr<const PackedLayer> make_depthwise(PackedDepthwise filter, const ConvOptions& options, const Activation& activation);

std::shared_ptr<const PackedLayer> make_pointwise(PackedMatrix filter, const Activation& activation);

std::shared_ptr<const PackedLayer> make_block(PackedBlock block);

/// Unless groups divide both numbers of channels.
void check_groups(std::int64_t groups, std::int64_t in, std::int64_t out);

/// One matrix for each group, of (kh * kw * in / groups, out / groups).
std::shared_ptr<const PackedLayer> make_standard(std::vector<PackedMatrix> groups, std::int64_t kh, std::int64_t kw, std::int64_t in,
                                                 std::int64_t out, const ConvOptions& options, const Activation& activation);

}  // namespace dwsep::runtime
