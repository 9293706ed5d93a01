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

#include "runtime/layers/blocks.hpp"
#include "runtime/layers/bottleneck_steps.hpp"
#include "runtime/layers/families.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Bottleneck final : public PackedLayer {
 public:
  Bottleneck(BottleneckSteps steps, std::optional<PackedSqueezeExcite> squeeze_excite) : steps_(std::move(steps)) {
    if (squeeze_excite) gate_.emplace(std::move(*squeeze_excite), middle_channels());
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", steps_.expand().packed().k, x.c);
    const Geometry g = steps_.depthwise().geometry(x);
    return {x.n, g.out_h, g.out_w, steps_.project().packed().columns};
  }

  int useful_threads(const Shape& x, int threads) const override {
    return worthwhile_threads(threads, flops(steps_.depthwise().geometry(x), x), tensor_bytes(x));
  }

  std::int64_t scratch_bytes(const Shape& x, int threads) const override {
    const Geometry g = steps_.depthwise().geometry(x);
    std::int64_t most = 0;
    for (int team = 1; team <= threads; ++team) {
      const auto layout = [&](Scratch& s) { by_channels(g, x, team) ? channels_layout(g, x, team, s) : rows_layout(g, x, team, s); };
      most = std::max(most, measure(layout));
    }
    return most;
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    const Call c{steps_.depthwise().geometry(x.shape), x, y, residual};
    if (by_channels(c.g, x.shape, team.size())) return run_channels(team, c, scratch);
    gate_ ? run_gated_rows(team, c, scratch) : run_rows(team, c, scratch);
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = steps_.depthwise().geometry(x);
    const int team = useful_threads(x, threads);
    const bool channels = by_channels(g, x, team);
    return {
        std::string("inverted residual") + (gate_ ? " with squeeze-excite" : "") + (channels ? ", fused by channels" : ", fused by rows"),
        steps_.expand().kernel_name() + " + " + steps_.depthwise().kernel_name() + " + " + steps_.project().kernel_name(),
        channels ? "channels, then output channels or pixels"
        : gate_  ? "blocks of rows, then pixels"
                 : "blocks of rows",
        team,
        flops(g, x),
        tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, steps_.project().packed().columns}) + weight_bytes()};
  }

 private:
  using Call = BottleneckSteps::Call;
  using Ring = BottleneckSteps::Ring;

  /// How the threads of a team share scratch: a part for each, then what they have in common.
  struct Layout {
    Ring ring;            ///< at the beginning of each part
    std::int64_t height;  ///< output rows at a time
    std::int64_t pixel;   ///< of the depthwise output
    PerThread<float> parts;
    float* common;
    SqueezeExciteStage::Image gate;
  };

  /// Threads that may divide the channels: their segments are on the stack, 24 bytes each, as a run can fail for nothing, memory included.
  static constexpr int kMaxParts = 64;

  int lanes() const { return steps_.lanes(); }
  std::int64_t middle_channels() const { return steps_.depthwise().packed().outputs(); }

  double flops(const Geometry& g, const Shape& x) const {
    return steps_.expand().flops(magnitude({x.n, x.h, x.w})) + steps_.depthwise().flops(g, x.n) +
           steps_.project().flops(magnitude({x.n, g.out_h, g.out_w})) + (gate_ ? gate_->flops(x.n) : 0);
  }

  double weight_bytes() const {
    return steps_.expand().weight_bytes() + steps_.depthwise().weight_bytes() + steps_.project().weight_bytes() +
           (gate_ ? gate_->weight_bytes() : 0);
  }

  bool by_channels(const Geometry& g, const Shape& x, int threads) const {
    const PackedMatrix& e = steps_.expand().packed();
    const bool plain = steps_.depthwise().packed().multiplier == 1;
    const bool small = bytes_of<float>(product({g.out_h, g.out_w, middle_channels()})) <= 2 * cache_budget() &&
                       bytes_of<float>(product({x.h, x.w, lanes(), e.panel_vectors})) <= cache_budget();
    // In a batch, whole images for each thread save the waiting, unless the weights are too large to stay in each one's cache. (The rows
    // of gated images are divided image by image, so that the threads wait in any case.)
    const bool by_images = !gate_ && threads > 1 && x.n >= threads &&
                           steps_.expand().weight_bytes() + steps_.project().weight_bytes() <= 2.0 * static_cast<double>(cache_budget());
    return plain && small && !by_images && threads <= kMaxParts && e.panels >= 2 * threads;
  }

  /// For some output rows at a time. Without a gate their depthwise output belongs to the part; with one it is common, and of all rows.
  Layout rows_layout(const Geometry& g, const Shape& x, int threads, Scratch& s) const {
    const std::int64_t pixel = scratch_pixel<float>(middle_channels());
    const std::int64_t height = std::min(choose_block(g, bytes_of<float>(pixel), cache_budget()).rows, g.out_h);
    const std::int64_t ring_rows =
        std::clamp<std::int64_t>((height - 1) * g.stride_h + (g.kh - 1) * g.dilation_h + 1, 1, std::max<std::int64_t>(x.h, 1));
    const Ring ring = steps_.ring_of(ring_rows, x.w, ceil_div(steps_.expand().packed().columns, lanes()));
    Layout layout{ring, height, pixel, {}, nullptr, {}};
    layout.parts = s.take_each<float>(threads, ring.floats + (gate_ ? 0 : product({height, g.out_w, pixel})));
    if (!gate_) return layout;
    layout.common = s.take<float>(product({g.out_h, g.out_w, pixel}));
    layout.gate = gate_->place(s, g.out_h);
    return layout;
  }

  /// For all rows, but only some channels in each part.
  Layout channels_layout(const Geometry& g, const Shape& x, int threads, Scratch& s) const {
    const PackedMatrix& e = steps_.expand().packed();
    const Ring ring = steps_.ring_of(std::max<std::int64_t>(x.h, 1), x.w, e.widest_panel());
    // Each thread's channels of the depthwise output lie together: lines of two threads side by side would travel between their cores.
    const std::int64_t widest = steps_.vectors_of({0, ceil_div(e.panels, threads)}).end + e.widest_panel();
    const std::int64_t pixel = scratch_pixel<float>(widest * lanes());
    Layout layout{ring, g.out_h, pixel, {}, nullptr, {}};
    layout.parts = s.take_each<float>(threads, ring.floats + product({g.out_h, g.out_w, pixel}));
    if (gate_) layout.gate = gate_->place(s, g.out_h);
    return layout;
  }

  /// Calls f(image, rows) for block after block of output rows [mine), counted over all images, when what they read is in the ring.
  template <class F>
  void for_each_block(const Call& c, Range mine, std::int64_t height, const Ring& ring, const F& f) const {
    std::int64_t expanded_image = -1, expanded = 0;  // rows before `expanded` of that image are in the ring, or were
    for (std::int64_t row = mine.begin; row < mine.end;) {
      const std::int64_t image = row / c.g.out_h, first = row % c.g.out_h;
      const Range rows{first, first + std::min({height, mine.end - row, c.g.out_h - first})};
      const Range needed = input_rows(c.g, c.x.shape.h, rows);
      if (image != expanded_image) expanded = 0;
      steps_.run_expand(c, image, {std::max(needed.begin, expanded), needed.end}, {0, steps_.expand().packed().panels}, 0, ring);
      expanded_image = image;
      expanded = std::max(expanded, needed.end);
      f(image, rows);
      row += rows.end - rows.begin;
    }
  }

  void run_rows(const Team& team, const Call& c, Scratch& scratch) const {
    Layout layout = rows_layout(c.g, c.x.shape, team.size(), scratch);
    layout.ring.data = layout.parts[team.rank()];
    float* const middle = layout.ring.data + layout.ring.floats;
    const Range mine = part_of(c.x.shape.n * c.g.out_h, team.rank(), team.size());
    for_each_block(c, mine, layout.height, layout.ring, [&](std::int64_t image, Range rows) {
      steps_.run_depthwise(c, rows, {0, steps_.depthwise().packed().vectors}, 0, layout.ring, {middle, layout.pixel});
      const Range pixels{rows.begin * c.g.out_w, rows.end * c.g.out_w};
      run_projection(steps_.project(), c, image, pixels, {0, steps_.project().packed().panels},
                     {middle - pixels.begin * layout.pixel, layout.pixel, &steps_.project().packed().whole, 1});
    });
  }

  /// Image by image: expansion and depthwise divided by rows, then the gate, then the projection divided by pixels.
  void run_gated_rows(Team& team, const Call& c, Scratch& scratch) const {
    Layout layout = rows_layout(c.g, c.x.shape, team.size(), scratch);
    layout.ring.data = layout.parts[team.rank()];
    const std::int64_t pixels = c.g.out_h * c.g.out_w;
    const Middle middle{layout.common, layout.pixel, &steps_.project().packed().whole, 1};
    const SqueezeExciteStage::Image& s = layout.gate;
    for (std::int64_t image = 0; image < c.x.shape.n; ++image) {
      if (image > 0) team.barrier();  // until everybody has read the image before
      const Range mine = part_of(c.g.out_h, team.rank(), team.size());
      const std::int64_t before = image * c.g.out_h;
      for_each_block(c, {before + mine.begin, before + mine.end}, layout.height, layout.ring, [&](std::int64_t, Range rows) {
        steps_.run_depthwise(c, rows, {0, steps_.depthwise().packed().vectors}, 0, layout.ring,
                             {middle.data + rows.begin * c.g.out_w * layout.pixel, layout.pixel, s.row_sums, s.row});
      });
      team.barrier();
      gate_->run(s, c.g.out_h, pixels, team);
      run_gated_projection(steps_.project(), c, image, part_of(pixels, team.rank(), team.size()), middle, s.gate);
    }
  }

  void run_channels(Team& team, const Call& c, Scratch& scratch) const {
    const PackedMatrix& e = steps_.expand().packed();
    const int parts = team.size();
    const Layout layout = channels_layout(c.g, c.x.shape, parts, scratch);
    const SqueezeExciteStage::Image& s = layout.gate;
    std::array<Segment, kMaxParts> segments;
    for (int i = 0; i < parts; ++i) {
      const Range v = steps_.vectors_of(part_of(e.panels, i, parts));
      segments[static_cast<std::size_t>(i)] = {layout.parts[i] + layout.ring.floats - layout.parts[0], v.begin * lanes(),
                                               std::min(v.end * lanes(), e.columns) - v.begin * lanes()};
    }
    const Middle middle{layout.parts[0], layout.pixel, segments.data(), parts};
    for (std::int64_t image = 0; image < c.x.shape.n; ++image) {
      if (image > 0) team.barrier();  // until everybody has read the image before
      run_part(c, image, part_of(e.panels, team.rank(), parts), layout.ring, layout.parts[team.rank()],
               {nullptr, layout.pixel, s.row_sums, s.row});
      team.barrier();
      if (gate_) gate_->run(s, c.g.out_h, c.g.out_h * c.g.out_w, team);
      run_project_part(c, image, team, middle, s.gate);
    }
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
      gate != nullptr ? run_gated_projection(steps_.project(), c, image, my_pixels, middle, gate)
                      : run_projection(steps_.project(), c, image, my_pixels, {0, p.panels}, middle);
      return;
    }
    if (gate != nullptr) {
      // All threads read all pixels: each multiplies the channels that it wrote.
      scale({middle.data, middle.pixel, middle.segments + team.rank(), 1}, {0, pixels}, gate);
      team.barrier();
    }
    run_projection(steps_.project(), c, image, {0, pixels}, part_of(p.panels, team.rank(), team.size()), middle);
  }

  BottleneckSteps steps_;
  std::optional<SqueezeExciteStage> gate_;
};

std::shared_ptr<const PackedLayer> packed_inverted_residual(const PointwiseFilter& expand, const DepthwiseFilter& depthwise,
                                                            const PointwiseFilter& project, const ConvOptions& options,
                                                            const Activation& expand_activation, const Activation& depthwise_activation,
                                                            const Activation& activation, const SqueezeExcite* s) {
  PackedMatrix e = checked_pack(expand);
  PackedDepthwise d = checked_pack(depthwise, options);
  PackedMatrix p = checked_pack(project);
  std::optional<PackedSqueezeExcite> gate;
  if (s != nullptr) gate = checked_pack(*s);
  return make_inverted_residual(std::move(e), std::move(d), std::move(p), options, expand_activation, depthwise_activation, activation,
                                std::move(gate));
}

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_inverted_residual(PackedMatrix expand, PackedDepthwise depthwise, PackedMatrix project,
                                                          const ConvOptions& options, const Activation& expand_activation,
                                                          const Activation& depthwise_activation, const Activation& activation,
                                                          std::optional<PackedSqueezeExcite> squeeze_excite) {
  BottleneckSteps steps(std::move(expand), std::move(depthwise), std::move(project), options, expand_activation, depthwise_activation,
                        activation);
  return std::make_shared<Bottleneck>(std::move(steps), std::move(squeeze_excite));
}

}  // namespace runtime

InvertedResidual::InvertedResidual(const PointwiseFilter& expand, const DepthwiseFilter& depthwise, const PointwiseFilter& project,
                                   const ConvOptions& options, const Activation& expand_activation, const Activation& depthwise_activation,
                                   const Activation& activation, const SqueezeExcite* squeeze_excite)
    : Layer(packed_inverted_residual(expand, depthwise, project, options, expand_activation, depthwise_activation, activation,
                                     squeeze_excite)) {}

}  // namespace dwsep
