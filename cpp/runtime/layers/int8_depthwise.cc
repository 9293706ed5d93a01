// DepthwiseConv2D of int8: output rows, or channels of a row, divided among threads.
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep::runtime {
namespace {

class Int8Depthwise final : public PackedLayer {
 public:
  Int8Depthwise(const DepthwiseFilter& f, const ConvOptions& options, const Activation& activation, const TensorTypes& types)
      : kh_(f.kh),
        kw_(f.kw),
        channels_(f.channels),
        options_(options),
        types_(types),
        stage_(int8_filter(f, options, "weight"), checked_tensors(types, f.channels, f.channels * f.multiplier, Scales::one_or_each),
               activation) {}

  Shape output_shape(const Shape& x) const override {
    check_channels("x", channels_, x.c);
    const Geometry g = geometry(x);
    return {x.n, g.out_h, g.out_w, stage_.columns()};
  }

  const LayerTypes& types() const noexcept override { return types_; }

  int useful_threads(const Shape& x, int threads) const override {
    const Geometry g = geometry(x);
    return worthwhile_threads(threads, {0, 0}, {0, flops(g, x) * taps_inside(g, x)}, bytes(g, x));
  }

  std::int64_t scratch_bytes(const Shape& x, int threads) const override {
    return measure([&](Scratch& s) { floats(geometry(x), threads, s); });
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    const Geometry g = geometry(x.shape);
    float* const mine = floats(g, team.size(), scratch)[team.rank()];
    const Work work_done{0, flops(g, x.shape) * taps_inside(g, x.shape)};
    share_rows(
        team, x.shape.n, g.out_h, stage_.panels(), worthwhile_piece({0, 0}, work_done, x.shape.n * g.out_h),
        [&](std::int64_t image, Range rows, Range panels) { stage_.run(work(g, x, y, residual, image, rows, panels), mine); }, is_low(g),
        stage_.rows_together());
  }

  std::unique_ptr<PreparedCall> prepare(const ConstTensor& x, const Tensor& y, const ConstTensor* residual,
                                        Scratch scratch) const override {
    if (x.shape.n != 1) return nullptr;
    const Geometry g = geometry(x.shape);
    float* const mine = floats(g, 1, scratch)[0];
    return prepared(work(g, x, y, residual, 0, {0, g.out_h}, {0, stage_.panels()}),
                    [this, mine](const Int8DepthwiseWork& w) { stage_.run(w, mine); });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = geometry(x);
    return {"depthwise", stage_.kernel_name(), "rows", useful_threads(x, threads), flops(g, x), bytes(g, x)};
  }

  std::int64_t packed_bytes() const override { return stage_.packed_bytes(); }

 private:
  /// Rows and panels of one image.
  Int8DepthwiseWork work(const Geometry& g, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, std::int64_t image,
                         Range rows, Range panels) const {
    Int8DepthwiseWork w = stage_.depthwise(g, image_of_int8(x, image));
    w.y = y.as<std::byte>() + (image * y.stride_n + rows.begin * y.stride_h) * stage_.y_size();
    w.y_row = y.stride_h;
    w.y_pixel = y.stride_w;
    if (residual != nullptr) {
      w.residual.data = residual->as<std::int8_t>() + image * residual->stride_n + rows.begin * residual->stride_h;
      w.residual.row = residual->stride_h;
      w.residual.pixel = residual->stride_w;
    }
    w.y_begin = rows.begin;
    w.y_end = rows.end;
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    return w;
  }

  Geometry geometry(const Shape& x) const { return resolve(options_, kh_, kw_, x); }
  PerThread<float> floats(const Geometry& g, int threads, Scratch& s) const {
    return s.take_each<float>(threads, stage_.finish_floats(g.out_w));
  }
  double flops(const Geometry& g, const Shape& x) const { return stage_.flops(magnitude(x.n, g.out_h, g.out_w)); }
  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x, types_.x.dtype) + tensor_bytes({x.n, g.out_h, g.out_w, stage_.columns()}, types_.y.dtype) +
           stage_.weight_bytes();
  }

  std::int64_t kh_, kw_, channels_;
  ConvOptions options_;
  LayerTypes types_;
  Int8Stage stage_;
};

}  // namespace

Int8Filter int8_filter(const DepthwiseFilter& f, const ConvOptions& options, const char* name) {
  check_options(options, f.kh, f.kw);
  if (f.channels < 1) reject("channels", "1 or more", std::to_string(f.channels));
  if (f.multiplier < 1) reject("multiplier", "1 or more", std::to_string(f.multiplier));
  check_weights(f.weight, {f.kh, f.kw, f.channels, f.multiplier});
  const std::int64_t columns = f.channels * f.multiplier;
  return {name,
          Family::depthwise,
          f.weight,
          f.dtype,
          f.bias_dtype,
          f.quantization,
          f.bias,
          f.kh * f.kw,
          columns,
          f.kh,
          f.kw,
          f.multiplier,
          0,
          columns,
          options.stride_h,
          options.stride_w,
          options.dilation_h,
          options.dilation_w};
}

std::shared_ptr<const PackedLayer> make_int8_depthwise(const DepthwiseFilter& f, const ConvOptions& options, const Activation& activation,
                                                       const TensorTypes& types) {
  return std::make_shared<Int8Depthwise>(f, options, activation, types);
}

}  // namespace dwsep::runtime
