// Weights in the order in which kernels read them. Their memory is shared: copies are cheap, and it may belong to a mapped file.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "dwsep/layers.hpp"
#include "kernels/conv_work.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep::runtime {

struct ActiveKernels;

/// Depthwise weights as [vector][kw][kh][lane] and bias as [vector][lane], zeros behind the last channel.
struct PackedDepthwise {
  std::int64_t kh, kw, channels, multiplier;  ///< channels of the input
  std::int64_t vectors;                       ///< of the output
  int lanes;
  std::shared_ptr<const float> weights, bias;

  std::int64_t outputs() const { return channels * multiplier; }
  std::int64_t bias_floats() const { return vectors * lanes; }
  std::int64_t weight_floats() const { return bias_floats() * kh * kw; }
};
/// Packed filters without their memory.
PackedDepthwise depthwise_layout(std::int64_t kh, std::int64_t kw, std::int64_t channels, std::int64_t multiplier, int lanes);
PackedDepthwise pack(const DepthwiseFilter& filter, int lanes);

/// The columns of a matrix in panels, each panel [k][column], zeros behind the last column.
struct PackedMatrix {
  std::int64_t k, columns;
  std::int64_t panels;
  int panel_vectors, last_panel_vectors;  ///< whole vectors
  HalfPanel last_panel_half;              ///< and half a vector more in the last panel
  int lanes;
  std::shared_ptr<const float> weights, bias;
  Segment whole;                        ///< all of k in one run
  std::shared_ptr<const float> slopes;  ///< or null: what a layer multiplies negative outputs of each column by in the end

  /// Floats that the last panel holds for its half vector.
  std::int64_t half_floats() const;
  std::int64_t bias_floats() const { return ((panels - 1) * panel_vectors + last_panel_vectors) * lanes + half_floats(); }
  std::int64_t weight_floats() const { return bias_floats() * k; }
  int widest_panel() const { return std::max(panel_vectors, last_panel_vectors + (last_panel_half == HalfPanel::none ? 0 : 1)); }
  /// The part of a GemmWork that the weights decide, for all panels and contiguous inputs. Refers to this matrix.
  GemmWork work() const;
};
/// A packed matrix without its memory: how a table with these properties divides it. `half` is how it would hold half a vector, if it does.
PackedMatrix matrix_layout(std::int64_t k, std::int64_t columns, int lanes, HalfPanel half);
/// matrix (k, columns) with rows `row_stride` floats apart; bias (columns) or null.
PackedMatrix pack_matrix(const float* matrix, std::int64_t row_stride, const float* bias, std::int64_t k, std::int64_t columns,
                         const ActiveKernels& kernels);
PackedMatrix pack(const PointwiseFilter& filter, const ActiveKernels& kernels);

/// Unpacked weights, dense.
struct Unpacked {
  std::vector<float> weights, bias;
};
/// weights (kh, kw, channels, multiplier), bias (channels * multiplier), packed for any instruction set.
Unpacked unpack(const PackedDepthwise& p);
/// weights (k, columns), bias (columns), packed for any instruction set.
Unpacked unpack(const PackedMatrix& p);

}  // namespace dwsep::runtime
