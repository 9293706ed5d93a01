// DepthwiseConv2D: one stage, its output pixels divided among threads.
#include "runtime/dispatch.hpp"
#include "runtime/families.hpp"
#include "runtime/stages.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Depthwise final : public PackedLayer {
 public:
  Depthwise(PackedDepthwise filter, const ConvOptions& options, const Activation& activation)
      : stage_(std::move(filter), options, activation) {}

  bool takes_residual() const override { return false; }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", stage_.packed().channels, x.c);
    const Geometry g = stage_.geometry(x);
    return {x.n, g.out_h, g.out_w, stage_.packed().outputs()};
  }

  int useful_threads(const Shape& x, int threads) const override {
    const Geometry g = stage_.geometry(x);
    return worthwhile_threads(threads, stage_.flops(g, x.n), bytes(g, x));
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor*, float*) const noexcept override {
    const Geometry g = stage_.geometry(x.shape);
    for_each_rows(x.shape.n, g.out_h, stage_.packed().vectors, team.rank(), team.size(),
                  [&](std::int64_t image, Range rows, Range vectors) {
                    run_area(g, x, y, image, {rows, {0, g.out_w}, vectors});
                  });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = stage_.geometry(x);
    return {"depthwise", stage_.kernel_name(), "rows", useful_threads(x, threads), stage_.flops(g, x.n), bytes(g, x)};
  }

 private:
  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, stage_.packed().outputs()}) + stage_.weight_bytes();
  }

  void run_area(const Geometry& g, const ConstTensor& x, const Tensor& y, std::int64_t image, const Area& area) const {
    const Source source{x.data + image * x.stride_n, x.stride_h, x.stride_w, kernel_table().lanes, x.shape.h, x.shape.w, x.shape.h};
    DepthwiseWork w = stage_.work(g, source, {nullptr, y.stride_h, y.stride_w});
    set_area(w, area, y.data + image * y.stride_n + area.rows.begin * y.stride_h);
    stage_.run(w);
  }

  DepthwiseStage stage_;
};

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_depthwise(PackedDepthwise filter, const ConvOptions& options, const Activation& activation) {
  return std::make_shared<Depthwise>(std::move(filter), options, activation);
}

}  // namespace runtime

DepthwiseConv2D::DepthwiseConv2D(const DepthwiseFilter& filter, const ConvOptions& options, const Activation& activation)
    : Layer(make_depthwise(checked_pack(filter, options), options, activation)) {}

}  // namespace dwsep
