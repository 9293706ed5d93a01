// A packed layer as a step of a network.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "runtime/layers/layer.hpp"
#include "runtime/network/op.hpp"

namespace dwsep::runtime {

/// `make` returns the packed layer. Its exceptions do not name the node.
std::unique_ptr<const Op> layer_op(const Description& d, const std::function<std::shared_ptr<const PackedLayer>()>& make,
                                   std::vector<NamedWeights> weights, bool any_rank = false);

/// Convolutions that read integers.
std::unique_ptr<const Op> int8_depthwise_op(const Description& d);
std::unique_ptr<const Op> int8_pointwise_op(const Description& d);
std::unique_ptr<const Op> int8_standard_op(const Description& d);

}  // namespace dwsep::runtime
