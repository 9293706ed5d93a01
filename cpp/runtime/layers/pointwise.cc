// PointwiseConv2D: one matrix product, the batch folded into its rows where the strides allow.
#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Pointwise final : public PackedLayer {
 public:
  Pointwise(PackedMatrix filter, const Activation& activation) : stage_(std::move(filter), activation) {}

  Shape output_shape(const Shape& x) const override {
    check_channels("x", stage_.packed().k, x.c);
    return {x.n, x.h, x.w, stage_.packed().columns};
  }

  int useful_threads(const Shape& x, int threads) const override {
    return worthwhile_threads(threads, stage_.flops(magnitude({x.n, x.h, x.w})), bytes(x));
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    if (x.shape.w == 1 && (x.shape.h > 1 || x.shape.n > 1)) {
      // A column of pixels, or a batch of single ones, is a row of them: their distance is that of rows, or of images.
      const ConstTensor add = residual != nullptr ? without_width(*residual) : ConstTensor();
      return run(team, without_width(x), without_width(y), residual != nullptr ? &add : nullptr, scratch);
    }
    const bool one_run = evenly_spaced(x) && evenly_spaced(y) && (residual == nullptr || evenly_spaced(*residual));
    const std::int64_t pixels = x.shape.n * x.shape.h * x.shape.w;
    const bool by_panels = split_by_panels(stage_.packed(), pixels, team.size());
    const Range rows = by_panels ? Range{0, pixels} : part_of(pixels, team.rank(), team.size());
    const Range panels = by_panels ? part_of(stage_.packed().panels, team.rank(), team.size()) : Range{0, stage_.packed().panels};
    for (std::int64_t row = rows.begin; row < rows.end;) {
      const std::int64_t end = one_run ? rows.end : std::min(rows.end, (row / x.shape.w + 1) * x.shape.w);
      run_pixels(x, y, residual, {row, end}, panels);
      row = end;
    }
  }

  Plan plan(const Shape& x, int threads) const override {
    const std::int64_t pixels = product({x.n, x.h, x.w});
    const int team = useful_threads(x, threads);
    const bool by_panels = split_by_panels(stage_.packed(), pixels, team);
    return {"pointwise", stage_.kernel_name(), by_panels ? "output channels" : "pixels", team, stage_.flops(magnitude({x.n, x.h, x.w})),
            bytes(x)};
  }

 private:
  /// The same pixels of a tensor one wide, with its height as the width and its batch as the height.
  template <class T>
  static T without_width(const T& t) {
    return {t.data, {1, t.shape.n, t.shape.h, t.shape.c}, 0, t.stride_n, t.stride_h};
  }

  double bytes(const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes({x.n, x.h, x.w, stage_.packed().columns}) + stage_.weight_bytes();
  }

  /// Pixels [rows) in the order of the tensor; all in one image row unless the tensors are evenly spaced.
  void run_pixels(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Range rows, Range panels) const {
    const std::int64_t row = rows.begin / x.shape.w, column = rows.begin % x.shape.w;
    const std::int64_t image = row / x.shape.h, line = row % x.shape.h;
    const auto offset = [&](const auto& t) { return image * t.stride_n + line * t.stride_h + column * t.stride_w; };
    GemmWork w = stage_.work(x.as<float>() + offset(x), x.stride_w, y.as<float>() + offset(y), y.stride_w, rows.end - rows.begin);
    if (residual != nullptr) {
      w.residual = residual->as<float>() + offset(*residual);
      w.residual_row = residual->stride_w;
    }
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    // What has more inputs than outputs to each pixel waits for them: 8x56x56 144->24 took 3700 us, fetched 2200.
    stage_.run(w, w.columns <= w.k && exceeds_caches(bytes(x.shape), x, y));
  }

  PointwiseStage stage_;
};

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_pointwise(PackedMatrix filter, const Activation& activation) {
  return std::make_shared<Pointwise>(std::move(filter), activation);
}

}  // namespace runtime

PointwiseConv2D::PointwiseConv2D(const PointwiseFilter& filter, const Activation& activation)
    : Layer(make_pointwise(checked_pack(filter), activation)) {}

}  // namespace dwsep
