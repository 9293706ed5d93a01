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

}  // namespace dwsep::runtime
