// InvertedResidual: expansion, depthwise and projection without the two wide tensors between them.
//
// By rows: a ring of expanded rows, just as many as a block of output rows needs, then the block's depthwise output, then its projection.
// By channels, for small images: a few panels of expanded channels at a time, whole images of them; only the depthwise output is kept
// whole. Rows there are few, so threads divide the channels, and no row is expanded twice.
//
// With squeeze-excite the projection must wait for the sums over the whole image: by rows, too, the depthwise output is then kept whole.
#include <algorithm>
#include <array>
#include <optional>

#include "runtime/blocks.hpp"
#include "runtime/bottleneck_steps.hpp"
#include "runtime/buffer.hpp"
#include "runtime/thread_pool.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Bottleneck final : public PackedLayer {
 public:
  Bottleneck(BottleneckSteps steps, const SqueezeExcite* squeeze_excite) : steps_(std::move(steps)) {
    if (squeeze_excite != nullptr) gate_.emplace(*squeeze_excite, steps_.depthwise().packed().outputs());
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", steps_.expand().packed().k, x.c);
    const Geometry g = steps_.depthwise().geometry(x);
    return {x.n, g.out_h, g.out_w, steps_.project().packed().columns};
  }

  void run(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads) const override {
    const Call c{steps_.depthwise().geometry(x.shape), x, y, residual, scratch_pixel(steps_.depthwise().packed().outputs())};
    const Split split = choose(c.g, x.shape, threads);
    if (split.by_channels) return run_channels(c, split.threads);
    gate_ ? run_gated_rows(c, split.threads) : run_rows(c, split.threads);
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = steps_.depthwise().geometry(x);
    const Split split = choose(g, x, threads);
    return {std::string("inverted residual") + (gate_ ? " with squeeze-excite" : "") +
                (split.by_channels ? ", fused by channels" : ", fused by rows"),
            steps_.expand().kernel_name() + " + " + steps_.depthwise().kernel_name() + " + " + steps_.project().kernel_name(),
            split.by_channels ? "channels, then output channels or pixels"
            : gate_           ? "blocks of rows, then pixels"
                              : "blocks of rows",
            split.threads,
            flops(g, x),
            tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, steps_.project().packed().columns}) + weight_bytes()};
  }

 private:
  using Call = BottleneckSteps::Call;
  using Ring = BottleneckSteps::Ring;
  using Middle = BottleneckSteps::Middle;
  struct Split {
    int threads;
    bool by_channels;
  };

  static constexpr int kMaxParts = 64;

  int lanes() const { return steps_.lanes(); }

  double flops(const Geometry& g, const Shape& x) const {
    return steps_.expand().flops(x.n * x.h * x.w) + steps_.depthwise().flops(g, x.n) + steps_.project().flops(x.n * g.out_h * g.out_w) +
           (gate_ ? gate_->flops(x.n) : 0);
  }

  double weight_bytes() const {
    return steps_.expand().weight_bytes() + steps_.depthwise().weight_bytes() + steps_.project().weight_bytes() +
           (gate_ ? gate_->weight_bytes() : 0);
  }

  Split choose(const Geometry& g, const Shape& x, int threads) const {
    const PackedMatrix& e = steps_.expand().packed();
    threads = worthwhile_threads(threads, flops(g, x), tensor_bytes(x));
    const bool plain = steps_.depthwise().packed().multiplier == 1;
    const bool small = g.out_h * g.out_w * steps_.depthwise().packed().outputs() <= 2 * cache_budget_floats() &&
                       x.h * x.w * lanes() * e.panel_vectors <= cache_budget_floats();
    // In a batch, whole images for each thread save the waiting, unless the weights are too large to stay in each one's cache. (The rows
    // of gated images are divided image by image, so that the threads wait in any case.)
    const bool by_images =
        !gate_ && threads > 1 && x.n >= threads &&
        steps_.expand().weight_bytes() + steps_.project().weight_bytes() <= 8.0 * static_cast<double>(cache_budget_floats());
    return {threads, plain && small && !by_images && threads <= kMaxParts && e.panels >= 2 * threads};
  }

  /// What the walks by rows have in common: how many output rows at a time, and the ring they need.
  struct Rows {
    std::int64_t height;
    Ring ring;
  };
  Rows rows_of(const Call& c) const {
    const std::int64_t height = std::min(choose_block(c.g, c.pixel, cache_budget_floats()).rows, c.g.out_h);
    const std::int64_t ring_rows = std::clamp<std::int64_t>((height - 1) * c.g.stride_h + (c.g.kh - 1) * c.g.dilation_h + 1, 1,
                                                            std::max<std::int64_t>(c.x.shape.h, 1));
    return {height, steps_.ring_of(ring_rows, c.x.shape.w, ceil_div(steps_.expand().packed().columns, lanes()))};
  }

  /// Calls f(image, rows) for block after block of output rows [mine), counted over all images, when what they read is in the ring.
  template <class F>
  void for_each_block(const Call& c, Range mine, std::int64_t height, const Ring& ring, const F& f) const {
    std::int64_t expanded_image = -1, expanded = 0;  // rows before `expanded` of that image are in the ring, or were
    for (std::int64_t row = mine.begin; row < mine.end;) {
      const std::int64_t image = row / c.g.out_h, first = row % c.g.out_h;
      const Range rows{first, first + std::min({height, mine.end - row, c.g.out_h - first})};
      const Range needed = BottleneckSteps::input_rows(c, rows);
      if (image != expanded_image) expanded = 0;
      steps_.run_expand(c, image, {std::max(needed.begin, expanded), needed.end}, {0, steps_.expand().packed().panels}, 0, ring);
      expanded_image = image;
      expanded = std::max(expanded, needed.end);
      f(image, rows);
      row += rows.end - rows.begin;
    }
  }

  void run_rows(const Call& c, int threads) const {
    const auto [height, shape] = rows_of(c);
    const std::int64_t part = shape.floats + height * c.g.out_w * c.pixel;
    float* const scratch = thread_scratch(threads * part);
    parallel(threads, [&, height = height, shape = shape](Team& team) {
      Ring ring = shape;
      ring.data = scratch + team.rank() * part;
      float* const middle = ring.data + ring.floats;
      const Range mine = part_of(c.x.shape.n * c.g.out_h, team.rank(), team.size());
      for_each_block(c, mine, height, ring, [&](std::int64_t image, Range rows) {
        steps_.run_depthwise(c, rows, {0, steps_.depthwise().packed().vectors}, 0, ring, {middle, c.pixel});
        const Range pixels{rows.begin * c.g.out_w, rows.end * c.g.out_w};
        steps_.run_project(c, image, pixels, {0, steps_.project().packed().panels},
                           {middle - pixels.begin * c.pixel, c.pixel, &steps_.project().packed().whole, 1});
      });
    });
  }

  /// Image by image: expansion and depthwise divided by rows, then the gate, then the projection divided by pixels.
  void run_gated_rows(const Call& c, int threads) const {
    const auto [height, shape] = rows_of(c);
    const std::int64_t pixels = c.g.out_h * c.g.out_w;
    float* const scratch = thread_scratch(threads * shape.floats + pixels * c.pixel + gate_->scratch_floats(c.g.out_h));
    const Middle middle{scratch + threads * shape.floats, c.pixel, &steps_.project().packed().whole, 1};
    const SqueezeExciteStage::Image s = gate_->place(middle.data + pixels * c.pixel, c.g.out_h);
    parallel(threads, [&, height = height, shape = shape](Team& team) {
      Ring ring = shape;
      ring.data = scratch + team.rank() * ring.floats;
      for (std::int64_t image = 0; image < c.x.shape.n; ++image) {
        const Range mine = part_of(c.g.out_h, team.rank(), team.size());
        const std::int64_t before = image * c.g.out_h;
        for_each_block(c, {before + mine.begin, before + mine.end}, height, ring, [&](std::int64_t, Range rows) {
          steps_.run_depthwise(c, rows, {0, steps_.depthwise().packed().vectors}, 0, ring,
                               {middle.data + rows.begin * c.g.out_w * c.pixel, c.pixel, s.row_sums, s.row});
        });
        team.barrier();
        gate_->run(s, c.g.out_h, pixels, team);
        steps_.run_gated_project(c, image, part_of(pixels, team.rank(), team.size()), middle, s.gate);
        team.barrier();
      }
    });
  }

  void run_channels(const Call& c, int threads) const {
    const PackedMatrix& e = steps_.expand().packed();
    const Ring shape = steps_.ring_of(std::max<std::int64_t>(c.x.shape.h, 1), c.x.shape.w, e.widest_panel());
    // Each thread's channels of the depthwise output lie together: lines of two threads side by side would travel between their cores.
    const std::int64_t widest = steps_.vectors_of({0, ceil_div(e.panels, threads)}).end + e.widest_panel();
    const std::int64_t pixel = scratch_pixel(widest * lanes()), pixels = c.g.out_h * c.g.out_w;
    const std::int64_t part = shape.floats + pixels * pixel;
    float* const scratch = thread_scratch(threads * part + (gate_ ? gate_->scratch_floats(c.g.out_h) : 0));
    const SqueezeExciteStage::Image s = gate_ ? gate_->place(scratch + threads * part, c.g.out_h) : SqueezeExciteStage::Image{};
    std::array<Segment, kMaxParts> segments;
    for (int i = 0; i < threads; ++i) {
      const Range v = steps_.vectors_of(part_of(e.panels, i, threads));
      segments[static_cast<std::size_t>(i)] = {i * part + shape.floats, v.begin * lanes(),
                                               std::min(v.end * lanes(), e.columns) - v.begin * lanes()};
    }
    const Middle middle{scratch, pixel, segments.data(), threads};
    parallel(threads, [&](Team& team) {
      for (std::int64_t image = 0; image < c.x.shape.n; ++image) {
        // The team may be smaller than the number of parts.
        for (int i = team.rank(); i < threads; i += team.size())
          run_part(c, image, part_of(e.panels, i, threads), shape, scratch + i * part, {nullptr, pixel, s.row_sums, s.row});
        team.barrier();
        if (gate_) gate_->run(s, c.g.out_h, pixels, team);
        run_project_part(c, image, team, middle, s.gate);
        team.barrier();
      }
    });
  }

  /// Expansion and depthwise of some panels of expanded channels, a panel at a time: it stays in cache.
  void run_part(const Call& c, std::int64_t image, Range panels, Ring ring, float* scratch, BottleneckSteps::DepthwiseOutput out) const {
    ring.data = scratch;
    out.y = scratch + ring.floats - steps_.vectors_of(panels).begin * lanes();
    for (std::int64_t p = panels.begin; p < panels.end; ++p) {
      const Range vectors = steps_.vectors_of({p, p + 1});
      steps_.run_expand(c, image, {0, c.x.shape.h}, {p, p + 1}, vectors.begin, ring);
      steps_.run_depthwise(c, {0, c.g.out_h}, vectors, vectors.begin, ring, out);
    }
  }

  /// A thread's part of the projection of one image: output channels, or pixels. The gate may be null.
  void run_project_part(const Call& c, std::int64_t image, Team& team, const Middle& middle, const float* gate) const {
    const PackedMatrix& p = steps_.project().packed();
    const std::int64_t pixels = c.g.out_h * c.g.out_w;
    const Range my_pixels = part_of(pixels, team.rank(), team.size());
    if (!split_by_panels(p, pixels, team.size())) {
      gate != nullptr ? steps_.run_gated_project(c, image, my_pixels, middle, gate)
                      : steps_.run_project(c, image, my_pixels, {0, p.panels}, middle);
      return;
    }
    if (gate != nullptr) {
      // All threads read all pixels: each multiplies the channels that it wrote.
      for (std::int64_t i = team.rank(); i < middle.segment_count; i += team.size()) {
        scale({middle.data, middle.pixel, middle.segments + i, 1}, {0, pixels}, gate);
      }
      team.barrier();
    }
    steps_.run_project(c, image, {0, pixels}, part_of(p.panels, team.rank(), team.size()), middle);
  }

  BottleneckSteps steps_;
  std::optional<SqueezeExciteStage> gate_;
};

}  // namespace

InvertedResidual::InvertedResidual(const PointwiseFilter& expand, const DepthwiseFilter& depthwise, const PointwiseFilter& project,
                                   const ConvOptions& options, const Activation& expand_activation, const Activation& depthwise_activation,
                                   const Activation& activation, const SqueezeExcite* squeeze_excite)
    : Layer(std::make_shared<Bottleneck>(
          BottleneckSteps(expand, depthwise, project, options, expand_activation, depthwise_activation, activation), squeeze_excite)) {}

}  // namespace dwsep
