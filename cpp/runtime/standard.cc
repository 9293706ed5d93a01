// Conv2D: implicit matrix products, one for each group.
#include <algorithm>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/grouped.hpp"
#include "runtime/stages.hpp"
#include "runtime/thread_pool.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Standard final : public PackedLayer {
 public:
  Standard(const StandardFilter& f, const ConvOptions& options, const Activation& activation)
      : kh_(f.kh), kw_(f.kw), in_(f.in), out_(f.out), options_(options), activation_(activation) {
    check_options(options, f.kh, f.kw);
    if (f.groups < 1 || f.in < 1 || f.in % f.groups != 0) {
      reject("groups", "a divisor of the " + std::to_string(f.in) + " input channels", std::to_string(f.groups));
    }
    if (f.out < 1 || f.out % f.groups != 0) {
      reject("groups", "a divisor of the " + std::to_string(f.out) + " output channels", std::to_string(f.groups));
    }
    const std::int64_t columns = f.out / f.groups;
    for (std::int64_t g = 0; g < f.groups; ++g) {
      groups_.push_back(pack_matrix(f.weights + g * columns, f.out, f.bias == nullptr ? nullptr : f.bias + g * columns,
                                    f.kh * f.kw * (f.in / f.groups), columns, kernel_table()));
    }
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", in_, x.c);
    const Geometry g = resolve(options_, kh_, kw_, x);
    return {x.n, g.out_h, g.out_w, out_};
  }

  void run(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads) const override {
    const Geometry g = resolve(options_, kh_, kw_, x.shape);
    const Split split = choose(g, x.shape, threads);
    const std::int64_t all_rows = x.shape.n * g.out_h;
    // Allocated before the threads start, where a failure can still be reported.
    std::vector<Segment> segments(static_cast<std::size_t>(split.threads) * static_cast<std::size_t>(kh_ * kw_));
    parallel(split.threads, [&](Team& team) {
      const Range rows = split.by_panels ? Range{0, all_rows} : part_of(all_rows, team.rank(), team.size());
      const std::int64_t panels = groups_.front().panels;
      const Range mine = split.by_panels ? part_of(panels, team.rank(), team.size()) : Range{0, panels};
      Segment* scratch = segments.data() + team.rank() * kh_ * kw_;
      for (std::int64_t row = rows.begin; row < rows.end;) {
        const std::int64_t image = row / g.out_h, first = row % g.out_h;
        const std::int64_t count = std::min({rows.end - row, g.out_h - first, block_rows(g)});
        for (std::size_t group = 0; group < groups_.size(); ++group) {
          run_rows(g, x, y, residual, group, image, {first, first + count}, mine, scratch);
        }
        row += count;
      }
    });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = resolve(options_, kh_, kw_, x);
    const Split split = choose(g, x, threads);
    const PackedMatrix& p = groups_.front();
    const std::string kernel =
        "gemm_" + std::to_string(kernel_table().tile_rows[p.panel_vectors - 1]) + "x" + std::to_string(p.panel_vectors * p.lanes);
    return {
        "standard, implicit matrix product", kernel, split.by_panels ? "output channels" : "rows", split.threads, flops(g, x), bytes(g, x)};
  }

 private:
  struct Split {
    int threads;
    bool by_panels;
  };

  double flops(const Geometry& g, const Shape& x) const {
    return 2.0 * static_cast<double>(x.n * g.out_h * g.out_w) * static_cast<double>(groups_.front().k) * static_cast<double>(out_);
  }

  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, out_}) + 4.0 * static_cast<double>((groups_.front().k + 1) * out_);
  }

  Split choose(const Geometry& g, const Shape& x, int threads) const {
    threads = worthwhile_threads(threads, flops(g, x), bytes(g, x));
    return {threads, split_by_panels(groups_.front(), x.n * g.out_h, threads)};
  }

  /// Output rows walked for a panel before the next: about 256 KB of input, so that it stays in the level-2 cache.
  std::int64_t block_rows(const Geometry& g) const {
    const double row = static_cast<double>(g.out_w * g.stride_w) * static_cast<double>(g.stride_h) * static_cast<double>(in_);
    return static_cast<std::int64_t>(std::max(64 * 1024 / std::max(row, 1.0), 1.0));
  }

  void run_rows(const Geometry& g, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, std::size_t group,
                std::int64_t image, Range rows, Range panels, Segment* segments) const {
    const PackedMatrix& p = groups_[group];
    const std::int64_t channels = in_ / static_cast<std::int64_t>(groups_.size());
    StandardWork w{};
    w.gemm = p.work();
    w.gemm.panel_begin = panels.begin;
    w.gemm.panel_end = panels.end;
    w.gemm.activation = activation_;
    w.gemm.a = x.data + image * x.stride_n + static_cast<std::int64_t>(group) * channels;
    w.gemm.y = y.data + image * y.stride_n + static_cast<std::int64_t>(group) * p.columns;
    if (residual != nullptr) {
      w.gemm.residual = residual->data + image * residual->stride_n + static_cast<std::int64_t>(group) * p.columns;
      w.residual_row = residual->stride_h;
      w.residual_pixel = residual->stride_w;
    }
    w.x_row = x.stride_h;
    w.x_pixel = x.stride_w;
    w.height = x.shape.h;
    w.width = x.shape.w;
    w.channels = channels;
    w.kh = g.kh;
    w.kw = g.kw;
    w.stride_h = g.stride_h;
    w.stride_w = g.stride_w;
    w.dilation_h = g.dilation_h;
    w.dilation_w = g.dilation_w;
    w.pad_top = g.pad_top;
    w.pad_left = g.pad_left;
    w.y_row = y.stride_h;
    w.y_pixel = y.stride_w;
    w.y_begin = rows.begin;
    w.y_end = rows.end;
    w.out_width = g.out_w;
    w.segments = segments;
    kernel_table().standard(w);
  }

  std::int64_t kh_, kw_, in_, out_;
  ConvOptions options_;
  Activation activation_;
  std::vector<PackedMatrix> groups_;
};

}  // namespace

Conv2D::Conv2D(const StandardFilter& f, const ConvOptions& options, const Activation& activation)
    : Layer(f.groups > 1 && f.groups == f.in && f.out % f.groups == 0
                ? make_depthwise_with_residual({f.weights, f.kh, f.kw, f.in, f.out / f.in, f.bias}, options, activation)
                : std::make_shared<Standard>(f, options, activation)) {}

}  // namespace dwsep
