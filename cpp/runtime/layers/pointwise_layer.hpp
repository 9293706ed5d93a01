// PointwiseConv2D of any type: one matrix product, the batch folded into its rows where the strides allow. A stage computes runs of pixels.
#pragma once

#include <algorithm>
#include <utility>

#include "dwsep/cpu.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep::runtime {

/// A run of pixels: the tensors and, in elements, where in each it begins.
struct PixelRun {
  const ConstTensor& x;
  const Tensor& y;
  const ConstTensor* residual;  ///< or null
  std::int64_t x_offset, y_offset, residual_offset, pixels;
};

template <class Stage>
class PointwiseLayer final : public PackedLayer {
 public:
  template <class... Args>
  explicit PointwiseLayer(Args&&... args) : stage_(std::forward<Args>(args)...) {}

  Shape output_shape(const Shape& x) const override {
    check_channels("x", stage_.k(), x.c);
    return {x.n, x.h, x.w, stage_.columns()};
  }

  const LayerTypes& types() const noexcept override { return stage_.types(); }

  int useful_threads(const Shape& x, int threads) const override {
    const Work none{0, 0}, work{stage_.flops(magnitude(x.n, x.h, x.w)), 0};
    return Stage::kInt8 ? worthwhile_threads(threads, none, work, bytes(x)) : worthwhile_threads(threads, work, none, bytes(x));
  }

  std::int64_t scratch_bytes(const Shape& x, int threads) const override {
    return measure([&](Scratch& s) {
      floats(threads, s);
      if constexpr (Stage::kPlanes) {
        if (takes_planes(x) || may_make_planes(x)) stage_.plane_pieces(threads, s);
      }
    });
  }

  /// Where all would not stay in the level-2 cache until it is turned.
  bool takes_planes(const Shape& x) const override { return stage_.takes_planes() && exceeds_level_2(x); }
  bool makes_planes(const Shape& x) const override {
    if (!may_make_planes(x)) return false;
    if constexpr (Stage::kPlanes) stage_.turn_weights();
    return true;
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    if (is_column(x.shape)) {
      const ConstTensor add = residual != nullptr ? without_width(*residual) : ConstTensor();
      return run(team, without_width(x), without_width(y), residual != nullptr ? &add : nullptr, scratch);
    }
    const bool one_run = is_one_run(x, y, residual);
    const std::int64_t pixels = x.shape.n * x.shape.h * x.shape.w;
    const bool by_panels = stage_.split_by_panels(pixels, team.size());
    float* const mine = floats(team.size(), scratch)[team.rank()];
    const auto run_rows = [&](Range rows, Range panels) {
      for (std::int64_t row = rows.begin; row < rows.end;) {
        const std::int64_t end = one_run ? rows.end : std::min(rows.end, (row / x.shape.w + 1) * x.shape.w);
        stage_.run_pixels(run_of(x, y, residual, {row, end}), panels, bytes(x.shape), mine);
        row = end;
      }
    };
    if (by_panels) return run_rows({0, pixels}, part_of(stage_.panels(), team.rank(), team.size()));
    const Work none{0, 0}, work{stage_.flops(static_cast<double>(pixels)), 0};
    const std::int64_t least = worthwhile_piece(Stage::kInt8 ? none : work, Stage::kInt8 ? work : none, pixels);
    share_pixels(team, pixels, least, [&](std::int64_t begin, std::int64_t end) { run_rows({begin, end}, {0, stage_.panels()}); });
  }

  void run_planes(Team& team, const ConstTensor& x, const Tensor& y, ChannelSteps steps, Scratch scratch) const noexcept override {
    if constexpr (Stage::kPlanes) {
      const std::int64_t w = x.shape.w;
      const auto whole = [&](const auto& t) { return t.stride_h == w * t.stride_w; };
      const std::int64_t run = whole(x) && whole(y) ? x.shape.h * w : w;
      const auto own = stage_.plane_scratch(team, steps, scratch);
      const Range mine = part_of(x.shape.n * x.shape.h * w, team.rank(), team.size());
      for (std::int64_t row = mine.begin, end; row < mine.end; row = end) {
        end = std::min({mine.end, (row / run + 1) * run, row + stage_.plane_block()});
        stage_.run_planes(run_of(x, y, nullptr, {row, end}), steps, own);
      }
    }
  }

  std::unique_ptr<PreparedCall> prepare(const ConstTensor& x, const Tensor& y, const ConstTensor* residual,
                                        Scratch scratch) const override {
    if (is_column(x.shape)) {
      const ConstTensor add = residual != nullptr ? without_width(*residual) : ConstTensor();
      return prepare(without_width(x), without_width(y), residual != nullptr ? &add : nullptr, scratch);
    }
    if (!is_one_run(x, y, residual)) return nullptr;
    return stage_.prepare_pixels(run_of(x, y, residual, {0, x.shape.n * x.shape.h * x.shape.w}), bytes(x.shape), floats(1, scratch)[0]);
  }

  Plan plan(const Shape& x, int threads) const override {
    const std::int64_t pixels = product({x.n, x.h, x.w});
    const int team = useful_threads(x, threads);
    return {"pointwise",
            stage_.kernel_name(),
            stage_.split_by_panels(pixels, team) ? "output channels" : "pixels",
            team,
            stage_.flops(magnitude(x.n, x.h, x.w)),
            bytes(x)};
  }

  std::int64_t packed_bytes() const override { return stage_.packed_bytes(); }

 private:
  /// A column of pixels, or a batch of single ones, is a row of them: their distance is that of rows, or of images.
  static bool is_column(const Shape& x) { return x.w == 1 && (x.h > 1 || x.n > 1); }
  static bool is_one_run(const ConstTensor& x, const Tensor& y, const ConstTensor* residual) {
    return evenly_spaced(x) && evenly_spaced(y) && (residual == nullptr || evenly_spaced(*residual));
  }
  /// The same pixels of a tensor one wide, with its height as the width and its batch as the height.
  template <class T>
  static T without_width(const T& t) {
    return {t.data, {1, t.shape.n, t.shape.h, t.shape.c}, 0, t.stride_n, t.stride_h, t.dtype};
  }

  PerThread<float> floats(int threads, Scratch& s) const { return s.take_each<float>(threads, stage_.scratch_floats()); }
  bool may_make_planes(const Shape& x) const { return stage_.makes_planes() && exceeds_level_2({x.n, x.h, x.w, stage_.columns()}); }
  static bool exceeds_level_2(const Shape& x) { return tensor_bytes(x) > static_cast<double>(cache_sizes().l2); }

  double bytes(const Shape& x) const {
    return tensor_bytes(x, types().x.dtype) + tensor_bytes({x.n, x.h, x.w, stage_.columns()}, types().y.dtype) + stage_.weight_bytes();
  }

  /// Pixels [rows) in the order of the tensor; all in one image row unless the tensors are evenly spaced.
  static PixelRun run_of(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Range rows) {
    const std::int64_t row = rows.begin / x.shape.w, column = rows.begin % x.shape.w;
    const std::int64_t image = row / x.shape.h, line = row % x.shape.h;
    const auto offset = [&](const auto& t) { return image * t.stride_n + line * t.stride_h + column * t.stride_w; };
    return {x, y, residual, offset(x), offset(y), residual != nullptr ? offset(*residual) : 0, rows.end - rows.begin};
  }

  Stage stage_;
};

}  // namespace dwsep::runtime
