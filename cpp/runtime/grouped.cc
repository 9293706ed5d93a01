// What a grouped Conv2D with one input channel a group needs beyond DepthwiseConv2D: a residual.
#include "runtime/grouped.hpp"

#include "runtime/dispatch.hpp"

namespace dwsep::runtime {
namespace {

/// Depthwise, then residual and activation in a second look at each row.
class DepthwiseWithResidual final : public PackedLayer {
 public:
  DepthwiseWithResidual(const DepthwiseFilter& filter, const ConvOptions& options, const Activation& activation)
      : whole_(filter, options, activation), linear_(filter, options, Activation::none()), activation_(activation) {}

  Shape output_shape(const Shape& x) const override { return whole_.output_shape(x); }

  void run(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads) const override {
    if (residual == nullptr) return whole_(x, y, nullptr, threads);
    linear_(x, y, nullptr, threads);
    for (std::int64_t n = 0; n < y.shape.n; ++n) {
      for (std::int64_t h = 0; h < y.shape.h; ++h) {
        float* row = y.data + n * y.stride_n + h * y.stride_h;
        const float* add = residual->data + n * residual->stride_n + h * residual->stride_h;
        for (std::int64_t w = 0; w < y.shape.w; ++w) {
          for (std::int64_t c = 0; c < y.shape.c; ++c) row[w * y.stride_w + c] += add[w * residual->stride_w + c];
        }
        kernel_table().activate(row, y.shape.w, y.stride_w, y.shape.c, activation_);
      }
    }
  }

  Plan plan(const Shape& x, int threads) const override { return whole_.plan(x, threads); }

 private:
  DepthwiseConv2D whole_, linear_;
  Activation activation_;
};

}  // namespace

std::shared_ptr<const PackedLayer> make_depthwise_with_residual(const DepthwiseFilter& filter, const ConvOptions& options,
                                                                const Activation& activation) {
  return std::make_shared<DepthwiseWithResidual>(filter, options, activation);
}

}  // namespace dwsep::runtime
