// PointwiseConv2D of float32.
#include "runtime/layers/families.hpp"
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/pointwise_layer.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class FloatPixels {
 public:
  FloatPixels(PackedMatrix filter, const Activation& activation) : stage_(std::move(filter), activation) {}

  std::int64_t k() const { return stage_.packed().k; }
  std::int64_t columns() const { return stage_.packed().columns; }
  std::int64_t panels() const { return stage_.packed().panels; }
  static const LayerTypes& types() { return kFloatTypes; }
  static std::int64_t scratch_floats() { return 0; }
  double flops(double pixels) const { return stage_.flops(pixels); }
  double weight_bytes() const { return stage_.weight_bytes(); }
  static std::int64_t packed_bytes() { return 0; }
  std::string kernel_name() const { return stage_.kernel_name(); }
  bool split_by_panels(std::int64_t pixels, int threads) const { return runtime::split_by_panels(stage_.packed(), pixels, threads); }

  void run_pixels(const PixelRun& r, Range panels, double bytes, float* /*scratch*/) const {
    const GemmWork w = work(r, panels);
    // What has more inputs than outputs to each pixel waits for them: 8x56x56 144->24 took 3700 us, fetched 2200. On Zen 3, with 32 MB of
    // level-3 cache, a quarter of it is enough, with up to twice as many outputs: 74x74 128->256 gains 2 to 19 %;
    // 4 MB of 74x74 64->128 lose 2, and 112x112 16->96 as much.
    stage_.run(w, w.columns <= 2 * w.k && exceeds_caches(bytes, r.x, r.y, kFetchedShare));
  }

  std::unique_ptr<PreparedCall> prepare_pixels(const PixelRun& r, double bytes, float* /*scratch*/) const {
    if (may_exceed_caches(bytes, kFetchedShare)) return nullptr;
    return prepared(work(r, {0, panels()}), [this](const GemmWork& w) { stage_.run(w); });
  }

 private:
  static constexpr double kFetchedShare = 0.25;

  GemmWork work(const PixelRun& r, Range panels) const {
    GemmWork w = stage_.work(r.x.as<float>() + r.x_offset, r.x.stride_w, r.y.as<float>() + r.y_offset, r.y.stride_w, r.pixels);
    if (r.residual != nullptr) {
      w.residual = r.residual->as<float>() + r.residual_offset;
      w.residual_row = r.residual->stride_w;
    }
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    return w;
  }

  PointwiseStage stage_;
};

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_pointwise(PackedMatrix filter, const Activation& activation) {
  return std::make_shared<PointwiseLayer<FloatPixels>>(std::move(filter), activation);
}

}  // namespace runtime

PointwiseConv2D::PointwiseConv2D(const PointwiseFilter& filter, const Activation& activation, const TensorTypes& types)
    : Layer(is_int8(types) ? make_int8_pointwise(filter, activation, types)
                           : (check_float_types(types), make_pointwise(checked_pack(filter), activation))) {}

}  // namespace dwsep
