// SeparableConv2D and InvertedResidual of int8: the stages one after the other, on int8 in scratch. Fusing them further gains nothing: what
// lies between them is a quarter of what float32 needs.
#pragma once

#include <optional>

#include "runtime/layers/int8_layers.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep::runtime {

class Int8Block final : public PackedLayer {
 public:
  Int8Block(const Int8BlockParts& parts, const TensorTypes& types);

  Shape output_shape(const Shape& x) const override;
  const LayerTypes& types() const noexcept override { return types_; }
  int useful_threads(const Shape& x, int threads) const override;
  std::int64_t scratch_bytes(const Shape& x, int threads) const override;
  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override;
  Plan plan(const Shape& x, int threads) const override;

 private:
  /// A call's tensors, and the geometry of the depthwise convolution.
  struct Call {
    Geometry g;
    const ConstTensor& x;
    const Tensor& y;
    const ConstTensor* residual;
  };
  /// Where intermediate results lie.
  struct Layout {
    std::int64_t rows;                             ///< of the depthwise output, computed at a time
    std::int64_t expanded_rows;                    ///< kept of the expanded image
    std::int64_t expanded_pixel, depthwise_pixel;  ///< bytes
    PerThread<std::int8_t> expanded, depthwise;    ///< those of rank 0 where the team shares an image
    PerThread<float> floats;
  };

  Geometry geometry(const Shape& x) const { return resolve(options_, kh_, kw_, x); }
  /// Whether the team works on an image together, with barriers between the stages, instead of each thread on rows of its own, which
  /// computes the expanded rows at their borders twice.
  bool shares_images(const Geometry& g, const Shape& x, int threads) const;
  Layout layout(bool shared, const Geometry& g, const Shape& x, int threads, Scratch& scratch) const;
  double flops(const Geometry& g, const Shape& x) const;
  double weight_bytes() const;

  void run_images(Team& team, const Call& c, const Layout& l) const;
  void run_rows(Team& team, const Call& c, const Layout& l) const;

  void expand_rows(const Call& c, std::int64_t image, Range pixels, Range panels, std::int8_t* to, std::int64_t pixel, float* floats) const;
  void depthwise_rows(const Call& c, const Int8Source& from, Range rows, Range panels, std::int8_t* to, std::int64_t pixel,
                      float* floats) const;
  void project_pixels(const Call& c, std::int64_t image, Range pixels, Range panels, const std::int8_t* from, std::int64_t pixel,
                      float* floats) const;

  std::int64_t kh_, kw_, channels_;
  ConvOptions options_;
  LayerTypes types_;
  std::optional<Int8Stage> expand_;
  std::optional<Int8Stage> depthwise_, project_;  // made in the constructor's body
};

}  // namespace dwsep::runtime
