// Grouped convolutions whose lanes are groups: the weights, and how the output is cut.
#pragma once

#include <vector>

#include "kernels/grouped_work.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/layers/packing.hpp"

namespace dwsep::runtime {

/// Weights as GroupedWork wants them, zeros behind the last group.
struct PackedGroups {
  std::int64_t groups, inputs, outputs, vectors;
  std::shared_ptr<const float> weights, bias;
  std::int64_t bytes;

  /// Of the matrices of groups with so many taps.
  PackedGroups(const std::vector<PackedMatrix>& matrices, std::int64_t taps);
};

/// Whether lanes that are groups take less than lanes that are output channels of one group.
bool lanes_are_groups(const std::vector<PackedMatrix>& matrices, std::int64_t taps, const ConvOptions& options);

/// Output rows and columns at a time, and floats of scratch for these.
struct GroupedAreas {
  std::int64_t rows, columns, floats;

  GroupedAreas(const Geometry& g, const Shape& x, const PackedGroups& packed);
};

/// Output rows of an image and vectors of groups; `work` is that of the first group.
void run_grouped(const StandardWork& work, const PackedGroups& packed, const GroupedAreas& areas, Range rows, Range vectors,
                 float* scratch);

}  // namespace dwsep::runtime
