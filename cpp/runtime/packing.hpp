// Weights in the order in which kernels read them.
#pragma once

#include <algorithm>

#include "dwsep/layers.hpp"
#include "kernels/table.hpp"
#include "runtime/buffer.hpp"

namespace dwsep::runtime {

/// Depthwise weights as [vector][kw][kh][lane] and bias as [vector][lane], zeros behind the last channel.
struct PackedDepthwise {
  std::int64_t kh, kw, channels, multiplier;  ///< channels of the input
  std::int64_t vectors;                       ///< of the output
  AlignedFloats weights, bias;

  std::int64_t outputs() const { return channels * multiplier; }
};
PackedDepthwise pack(const DepthwiseFilter& filter, int lanes);

/// The columns of a matrix in panels, each panel [k][column], zeros behind the last column.
struct PackedMatrix {
  std::int64_t k, columns;
  std::int64_t panels;
  int panel_vectors, last_panel_vectors;  ///< whole vectors
  HalfPanel last_panel_half;              ///< and half a vector more in the last panel
  int lanes;
  AlignedFloats weights, bias;
  Segment whole;  ///< all of k in one run

  int widest_panel() const { return std::max(panel_vectors, last_panel_vectors + (last_panel_half == HalfPanel::none ? 0 : 1)); }
  /// The part of a GemmWork that the weights decide, for all panels and inputs that lie side by side. Refers to this matrix.
  GemmWork work() const;
};
/// matrix (k, columns) with rows `row_stride` floats apart; bias (columns) or null.
PackedMatrix pack_matrix(const float* matrix, std::int64_t row_stride, const float* bias, std::int64_t k, std::int64_t columns,
                         const KernelTable& kernels);

}  // namespace dwsep::runtime
