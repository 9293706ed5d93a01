// One int8 convolution, packed: a layer by itself, a group, or a part of the fused ones.
#pragma once

#include <memory>
#include <string>

#include "kernels/int8_work.hpp"
#include "kernels/registry.hpp"
#include "runtime/layers/int8_types.hpp"
#include "runtime/layers/layer.hpp"

namespace dwsep::runtime {

/// A stage's filter as a matrix (k, columns): of a matrix product, or the taps of a depthwise convolution.
struct Int8Filter {
  std::string name;  ///< of its weights, in messages
  Family family;
  const void* weight;
  DType dtype, bias_dtype;
  const Quantization* quantization;
  const void* bias;  ///< or null
  std::int64_t k, columns;
  std::int64_t kh, kw, multiplier;  ///< depthwise
  std::int64_t first, row;          ///< a group's columns are [first, first + columns) of rows of `row` columns
  std::int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t k_channels() const { return family == Family::depthwise ? columns / multiplier : 1; }
};

/// An image that a stage reads.
struct Int8Source {
  const std::int8_t* data;
  std::int64_t row, pixel, height, width;
};
Int8Source image_of_int8(const ConstTensor& x, std::int64_t image);

class Int8Stage {
 public:
  /// Throws std::invalid_argument when types, scales or sizes are out of range, or sums could overflow.
  Int8Stage(const Int8Filter& filter, const Int8Tensors& tensors, const Activation& activation);

  /// Computes a work that the stage made. `scratch`: finish_floats() for rows of its output.
  void run(const Int8GemmWork& w, float* scratch) const;
  void run(const Int8DepthwiseWork& w, float* scratch) const;

  /// Works with all that the stage decides; inputs, outputs and extents are the caller's.
  Int8GemmWork gemm() const;
  Int8DepthwiseWork depthwise(const Geometry& g, const Int8Source& x) const;

  std::int64_t k() const { return k_; }
  /// What a matrix product may take for k where rows of x are as long, whatever lies behind k: then none is copied.
  std::int64_t k_padded() const { return k_padded_; }
  std::int64_t columns() const { return columns_; }
  std::int64_t panels() const { return panels_; }
  std::int64_t panel_columns() const { return panel_columns_; }
  /// Rows of a depthwise output that take as long as one.
  std::int64_t rows_together() const { return together_; }
  PanelSizes all_columns() const { return {panels_, panel_columns_, columns_}; }
  /// What a tap in the padding reads: a value for each input channel, as x stores it. A line's worth of them behind the last.
  const std::int8_t* x_zero() const { return x_zero_.get(); }
  std::int64_t y_size() const { return float_output_ ? 4 : 1; }
  /// Floats of scratch that run needs for an output with rows of so many pixels (1 for a matrix product); 0 for most.
  std::int64_t finish_floats(std::int64_t row_pixels) const;

  const char* kernel_name() const { return kernel_->name; }
  double flops(double pixels) const { return 2.0 * magnitude(k_, columns_) * pixels; }
  double weight_bytes() const { return magnitude(k_ + 8, columns_); }
  std::int64_t packed_bytes() const { return packed_bytes_; }

 private:
  void set_finish(const Affine& y, std::int64_t first);
  /// What is computed at a time before the second pass; of a matrix product all panels.
  struct FinishBlock {
    std::int64_t panels, columns, rows;
  };
  FinishBlock finish_block(std::int64_t row_pixels) const;
  void run_finished(Int8GemmWork w, float* scratch) const;
  void run_finished(Int8DepthwiseWork w, float* scratch) const;
  void run_block(const Int8DepthwiseWork& w, const FinishBlock& block, float* scratch) const;
  /// The second pass over channels [first, first + columns); v and y are channel 0's.
  void finish(const Int8FinishWork& work, std::int64_t first) const;
  void run_tabled(Int8GemmWork w) const;
  void run_tabled(Int8DepthwiseWork w) const;
  void look_up(std::int8_t* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) const;

  std::int64_t k_, k_padded_ = 0, columns_, multiplier_;
  bool float_output_;
  bool second_pass_;  ///< an activation that is no clip
  Activation activation_;
  std::uint8_t x_flip_, y_flip_ = 0;
  Int8Residual residual_{};
  Requantize q_{};
  const KernelEntry *kernel_, *finish_ = nullptr;
  std::int64_t panels_, panel_columns_, together_, packed_bytes_;
  std::shared_ptr<const std::byte> packed_;
  std::shared_ptr<std::int32_t> initial_, ranges_, finish_zeros_;
  std::shared_ptr<float> multiplier_values_, finish_scales_;
  std::int64_t finish_period_ = 0;  ///< columns of pixels that are finished together
  std::shared_ptr<std::int8_t> x_zero_, table_;
};

/// Pixels walked for a panel of weights before the next panel.
std::int64_t int8_block_rows(std::int64_t k);

}  // namespace dwsep::runtime
