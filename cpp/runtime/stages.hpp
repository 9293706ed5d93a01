// The two halves of every separable operator, packed: they are layers of their own, and the steps of the fused ones.
#pragma once

#include "runtime/layer.hpp"
#include "runtime/packing.hpp"

namespace dwsep::runtime {

/// Where a stage reads: an image whose pixels are `pixel` floats apart and whose channel vectors are `vector` floats apart.
struct Source {
  const float* data;
  std::int64_t row, pixel, vector;
  std::int64_t height, width;
  std::int64_t ring;  ///< rows that are there at a time: row r is in slot r % ring; height when all are
};

/// Where a stage writes.
struct Target {
  float* data;
  std::int64_t row, pixel;
};

class DepthwiseStage {
 public:
  DepthwiseStage(const DepthwiseFilter& filter, const ConvOptions& options, const Activation& activation);

  Geometry geometry(const Shape& x) const { return resolve(options_, packed_.kh, packed_.kw, x); }
  /// The work for one image; rows, vectors and y are the caller's to narrow. y is row 0 of the image.
  DepthwiseWork work(const Geometry& g, const Source& x, const Target& y) const;
  const PackedDepthwise& packed() const { return packed_; }
  const char* kernel_name() const { return variant_->name; }
  double flops(const Geometry& g, std::int64_t images) const;
  double weight_bytes() const;

 private:
  PackedDepthwise packed_;
  ConvOptions options_;
  Activation activation_;
  const DepthwiseVariant* variant_;
};

class PointwiseStage {
 public:
  PointwiseStage(const PointwiseFilter& filter, const Activation& activation);

  /// Rows [0, rows) of the product, all panels; the caller narrows and sets residual.
  GemmWork work(const float* a, std::int64_t a_row, float* y, std::int64_t y_row, std::int64_t rows) const;
  const PackedMatrix& packed() const { return packed_; }
  std::string kernel_name() const;
  double flops(std::int64_t pixels) const;
  double weight_bytes() const;

 private:
  PackedMatrix packed_;
  Activation activation_;
};

/// Narrows a work to output rows [begin, end), the first of which goes to y.
void set_rows(DepthwiseWork& w, std::int64_t begin, std::int64_t end, float* y);

/// Pixels walked for a panel of weights before the next panel: as many as keep the block's inputs in the level-2 cache.
std::int64_t gemm_block_rows(std::int64_t k);

/// Whether threads should share the pixels and divide the panels: when the weights are the larger operand, so that each thread streams
/// only its part of them, and the panels divide evenly enough.
bool split_by_panels(const PackedMatrix& b, std::int64_t rows, int threads);

}  // namespace dwsep::runtime
