// Prepacked layers: weights are copied and packed once by the constructor, then called often.
//
// A layer is immutable, cheap to copy (copies share the packed weights) and may be called from any number of threads at once.
// Constructors and calls throw std::invalid_argument when shapes do not fit. Outputs must not overlap inputs.
// `threads` = 0 means num_threads(); the number of threads never changes a bit of the result.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "dwsep/options.hpp"
#include "dwsep/tensor.hpp"

namespace dwsep::runtime {
class PackedLayer;
struct LayerCall;
}  // namespace dwsep::runtime

#pragma GCC visibility push(default)
namespace dwsep {

/// What a call would do, and the least time the machine could need for it.
struct Plan {
  std::string algorithm;  ///< e.g. "depthwise", "separable, fused by rows"
  std::string kernel;     ///< the micro-kernels that would run
  std::string split;      ///< how the work is divided among threads
  int threads = 1;
  double flops = 0;  ///< multiplications and additions counted apart
  double bytes = 0;  ///< input, weights and output, each once
};

/// Depthwise filters: weight (kh, kw, channels, multiplier), dense; output channel c * multiplier + m; bias (channels * multiplier) or
/// null. Types and quantization are those of the weight and of the bias, in all filters.
struct DepthwiseFilter {
  const void* weight = nullptr;
  std::int64_t kh = 0, kw = 0, channels = 0, multiplier = 1;
  const void* bias = nullptr;
  DType dtype = DType::float32, bias_dtype = DType::float32;
  const Quantization* quantization = nullptr;
};

/// Pointwise filter: weight (in, out), dense; bias (out) or null.
struct PointwiseFilter {
  const void* weight = nullptr;
  std::int64_t in = 0, out = 0;
  const void* bias = nullptr;
  DType dtype = DType::float32, bias_dtype = DType::float32;
  const Quantization* quantization = nullptr;
};

/// Standard filter: weight (kh, kw, in / groups, out), dense; bias (out) or null.
struct StandardFilter {
  const void* weight = nullptr;
  std::int64_t kh = 0, kw = 0, in = 0, out = 0, groups = 1;
  const void* bias = nullptr;
  DType dtype = DType::float32, bias_dtype = DType::float32;
  const Quantization* quantization = nullptr;
};

/// The type of a tensor and, of integers, what they stand for.
struct TensorType {
  DType dtype = DType::float32;
  const Quantization* quantization = nullptr;
};

/// The types of a layer's tensors. A layer whose x is float32 computes with floats, and has no others. One whose x is int8 or uint8
/// computes with integers, exactly: its weights are int8 or uint8 with a quantization, its biases int32 (in units of the scales of x and
/// weight) or float32 (rounded to that), y is int8, uint8 or float32. A depthwise convolution's x, and y, may have a scale for each
/// channel.
struct TensorTypes {
  TensorType x, y;
  TensorType residual;             ///< int8 or uint8, if calls of an int8 layer bring one
  TensorType expanded, depthwise;  ///< between the stages of the fused layers: the output of each; int8 or uint8
  /// A layer with an activation that is a clip may look its result up: it rounds to int8 by `tabled`, and y gets table[rounded + 128], of
  /// 256 numbers as int8 has them (128 lower than those of a y of uint8).
  TensorType tabled{};
  const std::int8_t* table = nullptr;
};

/// One factor for each channel of an image: excite_activation(excite(reduce_activation(reduce(mean)))), where mean is over the image's
/// pixels: a row's are added left to right, then the rows top to bottom, and the sum is divided by the number of pixels.
struct SqueezeExcite {
  PointwiseFilter reduce_filter, excite_filter;
  Activation reduce_activation, excite_activation;
};

/// The common interface of layers. Moving copies, so that a moved-from layer is still valid.
class Layer {
 public:
  Layer(const Layer&) = default;
  Layer& operator=(const Layer&) = default;
  ~Layer() = default;

  /// The shape of the output for an input of shape x.
  Shape output_shape(const Shape& x) const;
  /// y = activation(convolution(x) + bias + residual)
  void operator()(const ConstTensor& x, const Tensor& y, const ConstTensor* residual = nullptr, int threads = 0) const;
  Plan plan(const Shape& x, int threads = 0) const;

 protected:
  explicit Layer(std::shared_ptr<const runtime::PackedLayer> impl) : impl_(std::move(impl)) {}

 private:
  friend struct runtime::LayerCall;
  std::shared_ptr<const runtime::PackedLayer> impl_;
};

class DepthwiseConv2D : public Layer {
 public:
  DepthwiseConv2D(const DepthwiseFilter& filter, const ConvOptions& options, const Activation& activation, const TensorTypes& types = {});
};

class PointwiseConv2D : public Layer {
 public:
  PointwiseConv2D(const PointwiseFilter& filter, const Activation& activation, const TensorTypes& types = {});
};

/// Depthwise, then pointwise, without the intermediate tensor. With squeeze-excite the pointwise convolution reads the depthwise output
/// times its factors.
class SeparableConv2D : public Layer {
 public:
  SeparableConv2D(const DepthwiseFilter& depthwise_filter, const PointwiseFilter& filter, const ConvOptions& options,
                  const Activation& depthwise_activation, const Activation& activation, const SqueezeExcite* squeeze_excite = nullptr,
                  const TensorTypes& types = {});
};

/// Pointwise expansion, depthwise, pointwise projection (MobileNetV2's block), without the intermediate tensors. With squeeze-excite
/// (MobileNetV3, EfficientNet, MnasNet) the projection reads the depthwise output times its factors.
class InvertedResidual : public Layer {
 public:
  InvertedResidual(const PointwiseFilter& expand_filter, const DepthwiseFilter& depthwise_filter, const PointwiseFilter& filter,
                   const ConvOptions& options, const Activation& expand_activation, const Activation& depthwise_activation,
                   const Activation& activation, const SqueezeExcite* squeeze_excite = nullptr, const TensorTypes& types = {});
};

/// Standard (and grouped) convolution.
class Conv2D : public Layer {
 public:
  Conv2D(const StandardFilter& filter, const ConvOptions& options, const Activation& activation, const TensorTypes& types = {});
};

}  // namespace dwsep
#pragma GCC visibility pop
