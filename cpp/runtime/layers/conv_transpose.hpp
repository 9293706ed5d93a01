// A transposed convolution without zeros between pixels: a convolution of stride 1 for each group of phases of the stride.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "runtime/layers/layer.hpp"
#include "runtime/layers/packing.hpp"
#include "runtime/layers/phases.hpp"

namespace dwsep::runtime {

/// weights (kh, kw, in, out / groups).
struct TransposedGeometry {
  TransposedAxis h, w;
  std::int64_t in, out, groups;

  /// One filter for each of several channels: sums go column by column then, as in depthwise convolutions.
  bool depthwise() const { return groups > 1 && groups == in; }
};

/// Throws std::invalid_argument when sizes are out of range or do not fit each other.
void check_geometry(const TransposedGeometry& g);

/// The convolution of one group of phases, for rows and for columns, and what computes it. Of the matrices, one for each group of channels,
/// columns are [phase of rows][phase of columns][channel].
struct TransposedPart {
  PhaseGroup rows, columns;
  double share = 1;  ///< of one of positions as lanes: its time, where they fill vectors, next to that of the parts
};
std::vector<TransposedPart> transposed_parts(const TransposedGeometry& g);

/// The parts as one, of positions as lanes, whose columns lack taps: where that takes less. Made of each group's matrices of the parts.
std::vector<TransposedPart> joined_part(const TransposedGeometry& g, int lanes);
std::vector<PackedMatrix> join_matrices(const TransposedGeometry& g, const TransposedPart& joined, const std::vector<TransposedPart>& parts,
                                        const std::vector<PackedMatrix>& matrices);

/// Filters of all parts, in order: matrices of each group of channels, or depthwise filters.
using TransposedFilters = std::variant<std::vector<PackedMatrix>, std::vector<PackedDepthwise>>;
/// bias (out) or null.
TransposedFilters pack_transposed(const TransposedGeometry& g, const float* weight, const float* bias);

std::shared_ptr<const PackedLayer> make_conv_transpose(const TransposedGeometry& geometry, TransposedFilters filters,
                                                       const Activation& activation);

}  // namespace dwsep::runtime
