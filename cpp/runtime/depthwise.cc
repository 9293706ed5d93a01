// DepthwiseConv2D: one stage, split by rows or, on small images, by channels.
#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/stages.hpp"
#include "runtime/thread_pool.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Depthwise final : public PackedLayer {
 public:
  Depthwise(const DepthwiseFilter& filter, const ConvOptions& options, const Activation& activation)
      : stage_(filter, options, activation) {}

  bool takes_residual() const override { return false; }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", stage_.packed().channels, x.c);
    const Geometry g = stage_.geometry(x);
    return {x.n, g.out_h, g.out_w, stage_.packed().outputs()};
  }

  void run(const ConstTensor& x, const Tensor& y, const ConstTensor*, int threads) const override {
    const Geometry g = stage_.geometry(x.shape);
    const Split split = choose(g, x.shape, threads);
    parallel(split.threads, [&](Team& team) {
      const Range rows = split.by_channels ? Range{0, x.shape.n * g.out_h} : part_of(x.shape.n * g.out_h, team.rank(), team.size());
      const Range vectors = split.by_channels ? part_of(stage_.packed().vectors, team.rank(), team.size())
                                              : Range{0, stage_.packed().vectors};
      for (std::int64_t row = rows.begin; row < rows.end;) {
        const std::int64_t image = row / g.out_h;
        const std::int64_t end = std::min(rows.end, (image + 1) * g.out_h);
        run_image(g, x, y, image, {row - image * g.out_h, end - image * g.out_h}, vectors);
        row = end;
      }
    });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = stage_.geometry(x);
    const Split split = choose(g, x, threads);
    return {"depthwise", stage_.kernel_name(), split.by_channels ? "channels" : "rows", split.threads, stage_.flops(g, x.n), bytes(g, x)};
  }

 private:
  struct Split {
    int threads;
    bool by_channels;
  };

  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, stage_.packed().outputs()}) + stage_.weight_bytes();
  }

  Split choose(const Geometry& g, const Shape& x, int threads) const {
    threads = worthwhile_threads(threads, stage_.flops(g, x.n), bytes(g, x));
    // Rows of a small image would split unevenly, and every split reads kh - 1 rows twice.
    const bool by_channels = x.n * g.out_h < 16 * threads && stage_.packed().vectors >= 4 * threads;
    return {threads, by_channels};
  }

  void run_image(const Geometry& g, const ConstTensor& x, const Tensor& y, std::int64_t image, Range rows, Range vectors) const {
    const Source source{x.data + image * x.stride_n, x.stride_h, x.stride_w, kernel_table().lanes, x.shape.h, x.shape.w, x.shape.h};
    DepthwiseWork w = stage_.work(g, source, {nullptr, y.stride_h, y.stride_w});
    set_rows(w, rows.begin, rows.end, y.data + image * y.stride_n + rows.begin * y.stride_h);
    w.v_begin = vectors.begin;
    w.v_end = vectors.end;
    w.variant->run(w);
  }

  DepthwiseStage stage_;
};

}  // namespace

DepthwiseConv2D::DepthwiseConv2D(const DepthwiseFilter& filter, const ConvOptions& options, const Activation& activation)
    : Layer(std::make_shared<Depthwise>(filter, options, activation)) {}

}  // namespace dwsep
