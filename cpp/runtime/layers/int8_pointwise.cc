// PointwiseConv2D of int8.
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/pointwise_layer.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {
namespace {

class Int8Pixels {
 public:
  static constexpr bool kInt8 = true, kPlanes = false;
  static bool takes_planes() { return false; }
  static bool makes_planes() { return false; }
  Int8Pixels(const PointwiseFilter& f, const Activation& activation, const TensorTypes& types)
      : types_(types), stage_(int8_filter(f, "weight"), checked_tensors(types, f.in, f.out, Scales::one), activation) {}

  std::int64_t k() const { return stage_.k(); }
  std::int64_t columns() const { return stage_.columns(); }
  std::int64_t panels() const { return stage_.panels(); }
  const LayerTypes& types() const { return types_; }
  std::int64_t scratch_floats() const { return stage_.finish_floats(1); }
  double flops(double pixels) const { return stage_.flops(pixels); }
  double weight_bytes() const { return stage_.weight_bytes(); }
  std::int64_t packed_bytes() const { return stage_.packed_bytes(); }
  std::string kernel_name() const { return stage_.kernel_name(); }
  bool split_by_panels(std::int64_t pixels, int threads) const {
    return runtime::split_by_panels(stage_.all_columns(), pixels, pixels, threads);
  }

  void run_pixels(const PixelRun& r, Range panels, double /*bytes*/, float* scratch) const { stage_.run(work(r, panels), scratch); }

  std::unique_ptr<PreparedCall> prepare_pixels(const PixelRun& r, double /*bytes*/, float* scratch) const {
    return prepared(work(r, {0, panels()}), [this, scratch](const Int8GemmWork& w) { stage_.run(w, scratch); });
  }

 private:
  Int8GemmWork work(const PixelRun& r, Range panels) const {
    Int8GemmWork w = stage_.gemm();
    w.a = r.x.as<std::int8_t>() + r.x_offset;
    w.a_row = r.x.stride_w;
    w.y = r.y.as<std::byte>() + r.y_offset * stage_.y_size();
    w.y_row = r.y.stride_w;
    if (r.residual != nullptr) {
      w.residual.data = r.residual->as<std::int8_t>() + r.residual_offset;
      w.residual.row = r.residual->stride_w;
    }
    w.rows = r.pixels;
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    return w;
  }

  LayerTypes types_;
  Int8Stage stage_;
};

}  // namespace

Int8Filter int8_filter(const PointwiseFilter& f, const char* name) {
  if (f.in < 1) reject("input channels", "1 or more", std::to_string(f.in));
  if (f.out < 1) reject("output channels", "1 or more", std::to_string(f.out));
  check_weights(f.weight, {f.in, f.out});
  return {name, Family::pointwise, f.weight, f.dtype, f.bias_dtype, f.quantization, f.bias, f.in, f.out, 1, 1, 1, 0, f.out};
}

std::shared_ptr<const PackedLayer> make_int8_pointwise(const PointwiseFilter& f, const Activation& activation, const TensorTypes& types) {
  return std::make_shared<PointwiseLayer<Int8Pixels>>(f, activation, types);
}

}  // namespace dwsep::runtime
