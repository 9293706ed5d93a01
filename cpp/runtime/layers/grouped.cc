// What a grouped Conv2D with one input channel a group needs beyond DepthwiseConv2D: a residual.
#include "runtime/dispatch.hpp"
#include "runtime/layers/families.hpp"

namespace dwsep::runtime {
namespace {

/// Depthwise, then residual and activation in a second look at each row.
class DepthwiseWithResidual final : public PackedLayer {
 public:
  DepthwiseWithResidual(const PackedDepthwise& filter, const ConvOptions& options, const Activation& activation)
      : whole_(make_depthwise(filter, options, activation)),
        linear_(make_depthwise(filter, options, Activation::none())),
        activation_(activation) {}

  Shape output_shape(const Shape& x) const override { return whole_->output_shape(x); }

  int useful_threads(const Shape& x, int threads) const override { return whole_->useful_threads(x, threads); }

  std::int64_t scratch_bytes(const Shape& x, int threads) const override { return whole_->scratch_bytes(x, threads); }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    if (residual == nullptr) return whole_->run(team, x, y, nullptr, scratch);
    linear_->run(team, x, y, nullptr, scratch);
    team.barrier();  // it may have divided rows
    const Range rows = part_of(y.shape.n * y.shape.h, team.rank(), team.size());
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      const auto offset = [&](const auto& t) { return i / y.shape.h * t.stride_n + i % y.shape.h * t.stride_h; };
      finish_row(y, *residual, y.as<float>() + offset(y), residual->as<float>() + offset(*residual));
    }
  }

  Plan plan(const Shape& x, int threads) const override { return whole_->plan(x, threads); }

 private:
  void finish_row(const Tensor& y, const ConstTensor& residual, float* row, const float* add) const {
    for (std::int64_t w = 0; w < y.shape.w; ++w) {
      for (std::int64_t c = 0; c < y.shape.c; ++c) row[w * y.stride_w + c] += add[w * residual.stride_w + c];
    }
    kernel_table().tensor.map({row, row, y.stride_w, y.stride_w, y.shape.w, y.shape.c, activation_});
  }

  std::shared_ptr<const PackedLayer> whole_, linear_;  // of the same weights in memory
  Activation activation_;
};

}  // namespace

std::shared_ptr<const PackedLayer> make_depthwise_with_residual(const PackedDepthwise& filter, const ConvOptions& options,
                                                                const Activation& activation) {
  return std::make_shared<DepthwiseWithResidual>(filter, options, activation);
}

}  // namespace dwsep::runtime
