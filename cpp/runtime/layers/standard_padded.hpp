// Small images with zeros around them, so that all positions meet all taps and share tiles: 5x5 with stride 3, 3->128, on 8x8 has nine
// positions, each of which meets other taps. Only where no bit depends on it.
#pragma once

#include <vector>

#include "kernels/standard_work.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/layers/packing.hpp"

namespace dwsep::runtime {

/// Whether sums keep their bits where zeros are multiplied and added, if inputs are large enough. Weights are finite, no bias is -0, and
/// neither is so small, unless 0, that a sum could be -0 or subnormal: products are multiples of 2^-126 then. Of few weights only.
bool zeros_change_nothing(const std::vector<PackedMatrix>& groups);

/// Floats of all that the positions read, with zeros.
std::int64_t padded_floats(const Geometry& g, std::int64_t channels);

/// Makes `pixels` the input of a work for output rows [rows.begin, rows.end), unless one of its inputs is too small: an image of each of
/// `groups` one after the other, so that pixels of one are adjacent.
void put_zeros_around(StandardWork& work, Range rows, std::int64_t groups, float* pixels);

}  // namespace dwsep::runtime
