// SeparableConv2D: the depthwise output of a block of pixels goes to scratch, where the matrix product reads it from cache.
#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/layers/blocks.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/projection.hpp"
#include "runtime/layers/squeeze_excite.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/far_memory.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Separable final : public PackedLayer {
 public:
  Separable(PackedDepthwise depthwise, PackedMatrix pointwise, const ConvOptions& options, const Activation& depthwise_activation,
            const Activation& activation)
      : depthwise_(std::move(depthwise), options, depthwise_activation), pointwise_(std::move(pointwise), activation) {
    check_channels("pointwise weights", depthwise_.packed().outputs(), pointwise_.packed().k);
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", depthwise_.packed().channels, x.c);
    const Geometry g = depthwise_.geometry(x);
    return {x.n, g.out_h, g.out_w, pointwise_.packed().columns};
  }

  int useful_threads(const Shape& x, int threads) const override {
    return worthwhile_threads(threads, flops(depthwise_.geometry(x), x), tensor_bytes(x));
  }

  std::int64_t scratch_bytes(const Shape& x, int threads) const override {
    const Geometry g = depthwise_.geometry(x);
    // A team of any size may take blocks, and may take whole images if they are small.
    const std::int64_t blocks = measure([&](Scratch& s) { block_scratch(g, threads, s); });
    return small(g) ? std::max(blocks, measure([&](Scratch& s) { image_scratch(g, s); })) : blocks;
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    const Call c{{depthwise_.geometry(x.shape), x, y, residual}, scratch_pixel<float>(middle_channels())};
    by_whole_images(c.g, x.shape, team.size()) ? run_images(team, c, scratch) : run_blocks(team, c, scratch);
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = depthwise_.geometry(x);
    const int team = useful_threads(x, threads);
    const bool whole_images = by_whole_images(g, x, team);
    return {whole_images ? "separable, fused by image" : "separable, fused by rows",
            depthwise_.kernel_name() + " + " + pointwise_.kernel_name(),
            whole_images ? "rows, then output channels" : "blocks of rows",
            team,
            flops(g, x),
            tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, pointwise_.packed().columns}) + depthwise_.weight_bytes() +
                pointwise_.weight_bytes()};
  }

 private:
  struct Call : FusedCall {
    std::int64_t pixel;  ///< of the scratch
  };

  std::int64_t middle_channels() const { return depthwise_.packed().outputs(); }

  double flops(const Geometry& g, const Shape& x) const {
    return depthwise_.flops(g, x.n) + pointwise_.flops(magnitude({x.n, g.out_h, g.out_w}));
  }

  /// A small image stays in cache whole; then each thread can keep to its part of the weights.
  bool small(const Geometry& g) const { return bytes_of<float>(product({g.out_h, g.out_w, middle_channels()})) <= 2 * cache_budget(); }

  bool by_whole_images(const Geometry& g, const Shape& x, int threads) const {
    // In a batch, whole images for each thread save the waiting, unless the weights are too large to stay in each one's cache.
    const bool by_images = x.n >= threads && pointwise_.weight_bytes() <= 2.0 * static_cast<double>(cache_budget());
    // Threads that divide the channels read each other's depthwise output and write beside each other: worth it for few pixels only. On
    // 14x14 512->512 two threads take 558 us that way, 458 by rows. With 8 columns a pixel the weights, of which each then reads only its
    // part, are 8 times what all read of each other.
    const std::int64_t pixels = product({g.out_h, g.out_w});
    const bool few = 8 * pixels < pointwise_.packed().columns;
    return small(g) && (threads == 1 || (few && !by_images && split_by_panels(pointwise_.packed(), pixels, threads)));
  }

  /// The depthwise result of an area, to scratch.
  void run_depthwise(const Call& c, std::int64_t image, const Area& area, float* scratch) const {
    const Source source{
        c.x.as<float>() + image * c.x.stride_n, c.x.stride_h, c.x.stride_w, kernel_table().lanes, c.x.shape.h, c.x.shape.w, c.x.shape.h};
    DepthwiseWork w = depthwise_.work(c.g, source, {nullptr, (area.columns.end - area.columns.begin) * c.pixel, c.pixel});
    set_area(w, area, scratch);
    depthwise_.run(w);
  }

  /// The product of an area in scratch with panels, to the output: whole rows at once, parts of rows one by one.
  void run_pointwise(const Call& c, std::int64_t image, const Area& area, Range panels, float* scratch) const {
    const std::int64_t width = area.columns.end - area.columns.begin, row = c.g.out_w;
    const std::int64_t step = width == row ? area.rows.end - area.rows.begin : 1;
    for (std::int64_t r = area.rows.begin; r < area.rows.end; r += step) {
      const std::int64_t first = r * row + area.columns.begin;
      float* const pixel_0 = scratch + ((r - area.rows.begin) * width - first) * c.pixel;
      run_projection(pointwise_, c, image, {first, first + step * width}, panels, {pixel_0, c.pixel, &pointwise_.packed().whole, 1});
    }
  }

  Block block_of(const Geometry& g) const { return choose_block(g, bytes_of<float>(middle_channels()), cache_budget()); }

  PerThread<float> block_scratch(const Geometry& g, int threads, Scratch& s) const {
    const Block block = block_of(g);
    return s.take_each<float>(threads, product({block.rows, block.columns, scratch_pixel<float>(middle_channels())}));
  }

  float* image_scratch(const Geometry& g, Scratch& s) const {
    return s.take<float>(product({g.out_h, g.out_w, scratch_pixel<float>(middle_channels())}));
  }

  void run_blocks(const Team& team, const Call& c, Scratch& scratch_of_all) const {
    const Block block = block_of(c.g);
    const Range panels{0, pointwise_.packed().panels}, vectors{0, depthwise_.packed().vectors};
    float* const scratch = block_scratch(c.g, team.size(), scratch_of_all)[team.rank()];
    const bool is_far = far(tensor_bytes(c.x.shape) + tensor_bytes(c.y.shape), c.x, c.y);
    bool continued = false;
    const auto run_area = [&](std::int64_t image, Range rows, Range columns) {
      // 147x147 128->128 takes 7700 instead of 9150 us with its input fetched.
      if (is_far) fetch_rows(c.g, c.x, image, rows, continued && rows.begin > 0);
      continued = true;
      for (std::int64_t first = columns.begin; first < columns.end; first += block.columns) {
        const Area area{rows, {first, std::min(first + block.columns, columns.end)}, vectors};
        run_depthwise(c, image, area, scratch);
        run_pointwise(c, image, area, panels, scratch);
      }
    };
    // Few rows that do not divide evenly, as 19 among 2 threads, are cut between groups of columns. From 32 rows a thread, the one row that
    // some have more is 1/33 of their time at most.
    constexpr std::int64_t kColumns = 4;
    const std::int64_t height = c.g.out_h, width = c.g.out_w, all_rows = c.x.shape.n * height;
    const bool even = all_rows % team.size() == 0 || all_rows >= 32 * team.size();
    const std::int64_t groups = even ? 1 : ceil_div(width, kColumns);
    const Range mine = part_of(all_rows * groups, team.rank(), team.size());
    for (std::int64_t at = mine.begin; at < mine.end;) {
      const std::int64_t image = at / groups / height, row = at / groups % height, group = at % groups;
      if (group > 0 || mine.end - at < groups) {
        const std::int64_t last = std::min(groups, group + mine.end - at);
        run_area(image, {row, row + 1}, {group * kColumns, last == groups ? width : last * kColumns});
        at += last - group;
      } else {
        const std::int64_t rows = std::min({block.rows, (mine.end - at) / groups, height - row});
        run_area(image, {row, row + rows}, {0, width});
        at += rows * groups;
      }
    }
  }

  void run_images(Team& team, const Call& c, Scratch& scratch_of_all) const {
    float* const scratch = image_scratch(c.g, scratch_of_all);
    const std::int64_t vectors = depthwise_.packed().vectors, panels = pointwise_.packed().panels;
    for (std::int64_t image = 0; image < c.x.shape.n; ++image) {
      if (image > 0) team.barrier();  // until everybody has read the image before
      for_each_rows(1, c.g.out_h, vectors, team.rank(), team.size(), [&](std::int64_t, Range rows, Range part) {
        run_depthwise(c, image, {rows, {0, c.g.out_w}, part}, scratch + rows.begin * c.g.out_w * c.pixel);
      });
      team.barrier();
      run_pointwise(c, image, {{0, c.g.out_h}, {0, c.g.out_w}, {0, vectors}}, part_of(panels, team.rank(), team.size()), scratch);
    }
  }

  DepthwiseStage depthwise_;
  PointwiseStage pointwise_;
};

std::shared_ptr<const PackedLayer> packed_separable(const DepthwiseFilter& depthwise, const PointwiseFilter& pointwise,
                                                    const ConvOptions& options, const Activation& depthwise_activation,
                                                    const Activation& activation, const SqueezeExcite* squeeze_excite) {
  PackedDepthwise first = checked_pack(depthwise, options);
  PackedMatrix second = checked_pack(pointwise);
  if (squeeze_excite == nullptr) return make_separable(std::move(first), std::move(second), options, depthwise_activation, activation);
  return make_gated_separable(std::move(first), std::move(second), options, depthwise_activation, activation,
                              checked_pack(*squeeze_excite));
}

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_separable(PackedDepthwise depthwise, PackedMatrix pointwise, const ConvOptions& options,
                                                  const Activation& depthwise_activation, const Activation& activation) {
  return std::make_shared<Separable>(std::move(depthwise), std::move(pointwise), options, depthwise_activation, activation);
}

}  // namespace runtime

SeparableConv2D::SeparableConv2D(const DepthwiseFilter& depthwise, const PointwiseFilter& pointwise, const ConvOptions& options,
                                 const Activation& depthwise_activation, const Activation& activation, const SqueezeExcite* squeeze_excite)
    : Layer(packed_separable(depthwise, pointwise, options, depthwise_activation, activation, squeeze_excite)) {}

}  // namespace dwsep
