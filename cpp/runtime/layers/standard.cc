// Conv2D: implicit matrix products, one for each group.
#include <algorithm>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep {
namespace {

using namespace runtime;

void check_groups(std::int64_t groups, std::int64_t in, std::int64_t out) {
  if (groups < 1 || in < 1 || in % groups != 0) {
    reject("groups", "a divisor of the " + std::to_string(in) + " input channels", std::to_string(groups));
  }
  if (out < 1 || out % groups != 0) {
    reject("groups", "a divisor of the " + std::to_string(out) + " output channels", std::to_string(groups));
  }
}

class Standard final : public PackedLayer {
 public:
  Standard(std::vector<PackedMatrix> groups, std::int64_t kh, std::int64_t kw, std::int64_t in, std::int64_t out,
           const ConvOptions& options, const Activation& activation)
      : kh_(kh), kw_(kw), in_(in), out_(out), options_(options), activation_(activation), groups_(std::move(groups)) {
    check_options(options, kh, kw);
    check_activation(activation);
    const std::int64_t count = static_cast<std::int64_t>(groups_.size());
    check_groups(count, in, out);
    for (const PackedMatrix& p : groups_) {
      check_lanes(p.lanes);
      const auto text = [](std::int64_t k, std::int64_t columns) { return std::to_string(k) + " x " + std::to_string(columns); };
      const std::int64_t k = kh * kw * (in / count), columns = out / count;
      if (p.k != k || p.columns != columns) reject("weights of a group", text(k, columns), text(p.k, p.columns));
    }
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", in_, x.c);
    const Geometry g = resolve(options_, kh_, kw_, x);
    return {x.n, g.out_h, g.out_w, out_};
  }

  int useful_threads(const Shape& x, int threads) const override {
    const Geometry g = resolve(options_, kh_, kw_, x);
    return worthwhile_threads(threads, flops(g, x), bytes(g, x));
  }

  std::int64_t scratch_bytes(const Shape&, int threads) const override {
    return measure([&](Scratch& s) { segments(threads, s); });
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    const Geometry g = resolve(options_, kh_, kw_, x.shape);
    const std::int64_t all_rows = x.shape.n * g.out_h, panels = groups_.front().panels;
    const bool by_panels = split_by_panels(groups_.front(), all_rows, team.size());
    const Range rows = by_panels ? Range{0, all_rows} : part_of(all_rows, team.rank(), team.size());
    const Range mine = by_panels ? part_of(panels, team.rank(), team.size()) : Range{0, panels};
    Segment* const taps = segments(team.size(), scratch)[team.rank()];
    for_each_piece(rows, g.out_h, block_rows(g), [&](std::int64_t image, Range piece) {
      for (std::size_t group = 0; group < groups_.size(); ++group) run_rows(g, x, y, residual, group, image, piece, mine, taps);
    });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = resolve(options_, kh_, kw_, x);
    const int team = useful_threads(x, threads);
    const bool by_panels = split_by_panels(groups_.front(), product({x.n, g.out_h}), team);
    return {"standard, implicit matrix product",
            gemm_name(groups_.front().panel_vectors),
            by_panels ? "output channels" : "rows",
            team,
            flops(g, x),
            bytes(g, x)};
  }

 private:
  PerThread<Segment> segments(int threads, Scratch& s) const { return s.take_each<Segment>(threads, product({kh_, kw_})); }

  double flops(const Geometry& g, const Shape& x) const { return 2.0 * magnitude({x.n, g.out_h, g.out_w, groups_.front().k, out_}); }

  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, out_}) +
           static_cast<double>(bytes_of<float>((groups_.front().k + 1) * out_));
  }

  /// Output rows walked for a panel before the next: few enough that their input stays in the level-2 cache.
  std::int64_t block_rows(const Geometry& g) const {
    constexpr double kBlockBytes = 256 * 1024;
    const double row = static_cast<double>(sizeof(float)) * magnitude({g.out_w, g.stride_w, g.stride_h, in_});
    return static_cast<std::int64_t>(std::max(kBlockBytes / std::max(row, 1.0), 1.0));
  }

  void run_rows(const Geometry& g, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, std::size_t group,
                std::int64_t image, Range rows, Range panels, Segment* taps) const {
    const PackedMatrix& p = groups_[group];
    const std::int64_t channels = in_ / static_cast<std::int64_t>(groups_.size());
    StandardWork w{};
    w.gemm = p.work();
    w.gemm.panel_begin = panels.begin;
    w.gemm.panel_end = panels.end;
    w.gemm.activation = activation_;
    w.gemm.a = x.as<float>() + image * x.stride_n + static_cast<std::int64_t>(group) * channels;
    w.gemm.y = y.as<float>() + image * y.stride_n + static_cast<std::int64_t>(group) * p.columns;
    if (residual != nullptr) {
      w.gemm.residual = residual->as<float>() + image * residual->stride_n + static_cast<std::int64_t>(group) * p.columns;
      w.residual_row = residual->stride_h;
      w.residual_pixel = residual->stride_w;
    }
    w.x_row = x.stride_h;
    w.x_pixel = x.stride_w;
    w.height = x.shape.h;
    w.width = x.shape.w;
    w.channels = channels;
    set_filter(w, g);
    w.y_row = y.stride_h;
    w.y_pixel = y.stride_w;
    w.y_begin = rows.begin;
    w.y_end = rows.end;
    w.segments = taps;
    active_kernels().standard(w);
  }

  std::int64_t kh_, kw_, in_, out_;
  ConvOptions options_;
  Activation activation_;
  std::vector<PackedMatrix> groups_;
};

std::shared_ptr<const PackedLayer> packed_standard(const StandardFilter& f, const ConvOptions& options, const Activation& activation,
                                                   const TensorTypes& types) {
  const bool int8 = is_int8(types);
  if (!int8) check_types(f);
  if (!int8) check_float_types(types);
  if (f.groups > 1 && f.groups == f.in && f.out % f.groups == 0) {
    const DepthwiseFilter depthwise{f.weight, f.kh, f.kw, f.in, f.out / f.in, f.bias, f.dtype, f.bias_dtype, f.quantization};
    if (int8) return make_int8_depthwise(depthwise, options, activation, types);
    return make_depthwise(checked_pack(depthwise, options), options, activation);
  }
  check_options(options, f.kh, f.kw);
  check_groups(f.groups, f.in, f.out);
  if (int8) return make_int8_standard(f, options, activation, types);
  check_weights(f.weight, {f.kh, f.kw, f.in / f.groups, f.out});
  const std::int64_t k = f.kh * f.kw * (f.in / f.groups), columns = f.out / f.groups;
  const auto *const weights = static_cast<const float*>(f.weight), *const bias = static_cast<const float*>(f.bias);
  std::vector<PackedMatrix> groups;
  for (std::int64_t g = 0; g < f.groups; ++g) {
    const float* const group_bias = bias == nullptr ? nullptr : bias + g * columns;
    groups.push_back(pack_matrix(weights + g * columns, f.out, group_bias, k, columns, active_kernels()));
  }
  return make_standard(std::move(groups), f.kh, f.kw, f.in, f.out, options, activation);
}

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_standard(std::vector<PackedMatrix> groups, std::int64_t kh, std::int64_t kw, std::int64_t in,
                                                 std::int64_t out, const ConvOptions& options, const Activation& activation) {
  return std::make_shared<Standard>(std::move(groups), kh, kw, in, out, options, activation);
}

}  // namespace runtime

Conv2D::Conv2D(const StandardFilter& f, const ConvOptions& options, const Activation& activation, const TensorTypes& types)
    : Layer(packed_standard(f, options, activation, types)) {}

}  // namespace dwsep
