#include "runtime/layers/block.hpp"

#include <algorithm>
#include <utility>

#include "dwsep/cpu.hpp"
#include "runtime/layers/int8_layers.hpp"

namespace dwsep {
namespace runtime {

Block::Block(PackedBlock b)
    : depthwise_(std::move(b.depthwise), b.options, b.depthwise_activation), project_(std::move(b.project), b.activation) {
  if (b.expand) {
    expand_.emplace(std::move(*b.expand), b.expand_activation);
    check_channels("depthwise weights", expand_->packed().columns, depthwise_.packed().channels);
  }
  check_channels(expand_ ? "projection weights" : "pointwise weights", depthwise_.packed().outputs(), project_.packed().k);
  if (b.squeeze_excite) squeeze_excite_.emplace(std::move(*b.squeeze_excite), depthwise_.packed().outputs());
}

Shape Block::output_shape(const Shape& x) const {
  check_channels("x", expand_ ? expand_->packed().k : depthwise_.packed().channels, x.c);
  const Geometry g = depthwise_.geometry(x);
  return {x.n, g.out_h, g.out_w, project_.packed().columns};
}

int Block::useful_threads(const Shape& x, int threads) const {
  const Geometry g = depthwise_.geometry(x);
  const double depthwise = depthwise_.flops(g, x.n);
  return worthwhile_threads(threads, {flops(g, x) - depthwise, depthwise * taps_inside(g, x)}, {0, 0}, tensor_bytes(x));
}

double Block::flops(const Geometry& g, const Shape& x) const {
  return (expand_ ? expand_->flops(magnitude(x.n, x.h, x.w)) : 0) + depthwise_.flops(g, x.n) +
         project_.flops(magnitude(x.n, g.out_h, g.out_w)) + (squeeze_excite_ ? squeeze_excite_->flops(x.n) : 0);
}

double Block::weight_bytes() const {
  return (expand_ ? expand_->weight_bytes() : 0) + depthwise_.weight_bytes() + project_.weight_bytes() +
         (squeeze_excite_ ? squeeze_excite_->weight_bytes() : 0);
}

Plan Block::plan(const Shape& x, int threads) const {
  const Geometry g = depthwise_.geometry(x);
  const int team = useful_threads(x, threads);
  struct Text {
    const char *algorithm, *split;
  };
  static constexpr Text kTexts[] = {{", fused by rows", "blocks of rows"},
                                    {", fused by image", "rows, then pixels or output channels"},
                                    {", fused by channels", "channels, then pixels or output channels"}};
  const Text& text = kTexts[static_cast<int>(strategy(g, x, team))];
  return {std::string(expand_ ? "inverted residual" : "separable") + (squeeze_excite_ ? " with squeeze-excite" : "") + text.algorithm,
          (expand_ ? expand_->kernel_name() + " + " : "") + depthwise_.kernel_name() + " + " + project_.kernel_name(),
          text.split,
          team,
          flops(g, x),
          tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, project_.packed().columns}) + weight_bytes()};
}

Block::Strategy Block::strategy(const Geometry& g, const Shape& x, int threads) const {
  const std::int64_t pixels = product({g.out_h, g.out_w});
  // A small image stays in cache.
  const bool small = bytes_of<float>(product({pixels, depthwise_.packed().outputs()})) <= 2 * cache_budget();
  // In a batch, whole images per thread save barriers, unless the weights exceed each thread's cache.
  const double weights = (expand_ ? expand_->weight_bytes() : 0) + project_.weight_bytes();
  const bool by_batch = x.n >= threads && weights <= 2.0 * static_cast<double>(cache_budget());
  if (expand_) {
    const PackedMatrix& e = expand_->packed();
    // By rows a panel of a large image needs no ring of it: 56x56 24->72->24 takes 290 us by channels, 212 so.
    const std::int64_t most = squeeze_excite_ ? cache_budget() : cache_budget() / 2;
    const bool fits = bytes_of<float>(product({x.h, x.w, lanes(), e.panel_vectors})) <= most && threads <= kMaxParts &&
                      e.panels >= 2 * threads && depthwise_.packed().multiplier == 1;
    // (With squeeze-excite images are divided one by one, so there are barriers anyway.)
    if (small && fits && (squeeze_excite_ || threads == 1 || !by_batch)) return Strategy::channels;
    return squeeze_excite_ ? Strategy::image : Strategy::rows;
  }
  if (squeeze_excite_) return Strategy::image;
  // Threads that divide the channels read each other's depthwise output and write next to each other: worth it for few pixels only. On
  // 14x14 512->512 two threads take 558 us that way, 458 by rows. With 8 columns a pixel the weights, of which each then reads only its
  // part, are 8 times what all read of each other.
  const bool few = 8 * pixels < project_.packed().columns;
  return small && (threads == 1 || (is_low(g) && x.n < threads) ||
                   (few && !by_batch && split_by_panels(columns_of(project_.packed()), pixels, pixels, threads)))
             ? Strategy::image
             : Strategy::rows;
}

std::int64_t Block::panels_at_once(const Shape& x) const {
  const PackedMatrix& e = expand_->packed();
  const std::int64_t bytes = bytes_of<float>(x.h * x.w * e.lanes * e.panel_vectors);
  return std::clamp<std::int64_t>(cache_sizes().l1d / 2 / std::max<std::int64_t>(bytes, 1), 1, e.panels);
}

Range Block::vectors_of(Range panels) const {
  const PackedMatrix& e = expand_->packed();
  return {panels.begin * e.panel_vectors, panels.end == e.panels ? depthwise_.packed().vectors : panels.end * e.panel_vectors};
}

Block::Ring Block::ring_of(std::int64_t rows, std::int64_t width, std::int64_t vectors) const {
  if (depthwise_.packed().multiplier != 1) {
    const std::int64_t pixel = scratch_pixel<float>(expand_->packed().columns);
    return {nullptr, rows, product({width, pixel}), pixel, lanes(), product({rows, width, pixel})};
  }
  // Not near a multiple of 4 KB from vector to vector: all vectors would fall into the same cache sets.
  const std::int64_t vector = round_up(product({rows, width, lanes()}), 1024) + 16;
  return {nullptr, rows, product({width, lanes()}), lanes(), vector, product({vectors, vector})};
}

Block::Layout Block::layout(Strategy strategy, const Geometry& g, const Shape& x, int threads, Scratch& scratch) const {
  Layout l{};
  std::int64_t channels = depthwise_.packed().outputs();
  const std::int64_t pixel = bytes_of<float>(scratch_pixel<float>(channels));
  l.block = choose_cache_block(g, pixel, separable_budget());
  if (expand_) {
    const PackedMatrix& e = expand_->packed();
    // The ring and the output share half the budget: stride 2 reads two rows or more of it for each of the output. 112x112 16->96->24 of
    // stride 2 takes 650 us with the ring beyond the budget, 532 in all of it, 500 so; 16->48->24 357, 257.
    const std::int64_t row = bytes_of<float>(product({x.w, scratch_pixel<float>(e.columns)})),
                       extent = std::min((g.kh - 1) * g.dilation_h + 1, x.h);
    const std::int64_t each = pixel + ceil_div(product({g.stride_h, row}), std::max<std::int64_t>(g.out_w, 1));
    const std::int64_t more = product({std::max<std::int64_t>(extent - g.stride_h, 0), row});
    const std::int64_t rows = choose_cache_block(g, each, std::max<std::int64_t>(cache_budget() / 2 - more, 0)).rows;
    l.block = {std::max(rows, std::min(kTileRows, g.out_h)), g.out_w};
    std::int64_t ring_rows = (l.block.rows - 1) * g.stride_h + extent, vectors = ceil_div(e.columns, e.lanes);
    if (strategy == Strategy::channels) {
      ring_rows = x.h;
      vectors = (std::min(panels_at_once(x), ceil_div(e.panels, threads)) - 1) * e.panel_vectors + e.widest_panel();
      // Each thread's channels of the depthwise output are contiguous: cache lines that two threads write would travel between cores.
      channels = (vectors_of({0, ceil_div(e.panels, threads)}).end + vectors) * e.lanes;
    }
    l.ring = ring_of(std::clamp<std::int64_t>(ring_rows, 1, std::max<std::int64_t>(x.h, 1)), x.w, vectors);
    l.rings = scratch.take_each<float>(threads, l.ring.floats);
  }
  l.pixel = scratch_pixel<float>(channels);
  const CacheBlock kept = strategy == Strategy::rows ? l.block : CacheBlock{g.out_h, g.out_w};
  l.output = scratch.take_each<float>(strategy == Strategy::image ? 1 : threads, product({kept.rows, kept.columns, l.pixel}));
  if (squeeze_excite_) l.excite = squeeze_excite_->place(scratch, g.out_h);
  return l;
}

std::int64_t Block::scratch_bytes(const Shape& x, int threads) const {
  const Geometry g = depthwise_.geometry(x);
  std::int64_t most = 0;
  for (int team = 1; team <= threads; ++team) {
    most = std::max(most, measure([&](Scratch& s) { layout(strategy(g, x, team), g, x, team, s); }));
  }
  return most;
}

void Block::run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept {
  const Call c{depthwise_.geometry(x.shape), x, y, residual};
  const Strategy s = strategy(c.g, x.shape, team.size());
  const Layout l = layout(s, c.g, x.shape, team.size(), scratch);
  if (s == Strategy::channels) return run_channels(team, c, l);
  if (s == Strategy::image) return run_image(team, c, l);
  expand_ ? run_rows(team, c, l) : run_unexpanded_rows(team, c, l);
}

std::shared_ptr<const PackedLayer> make_block(PackedBlock block) { return std::make_shared<Block>(std::move(block)); }

namespace {

std::shared_ptr<const PackedLayer> packed_block(const PointwiseFilter* expand, const DepthwiseFilter& depthwise,
                                                const PointwiseFilter& project, const ConvOptions& options,
                                                const Activation& expand_activation, const Activation& depthwise_activation,
                                                const Activation& activation, const SqueezeExcite* squeeze_excite,
                                                const TensorTypes& types) {
  if (is_int8(types)) {
    if (squeeze_excite != nullptr) reject("squeeze_excite", "none in a layer of int8", "one");
    return make_int8_block({expand, depthwise, project, options, expand_activation, depthwise_activation, activation}, types);
  }
  check_float_types(types);
  PackedBlock b;
  if (expand != nullptr) b.expand = checked_pack(*expand);
  b.depthwise = checked_pack(depthwise, options);
  b.project = checked_pack(project);
  if (squeeze_excite != nullptr) b.squeeze_excite = checked_pack(*squeeze_excite);
  b.options = options;
  b.expand_activation = expand_activation;
  b.depthwise_activation = depthwise_activation;
  b.activation = activation;
  return make_block(std::move(b));
}

}  // namespace
}  // namespace runtime

SeparableConv2D::SeparableConv2D(const DepthwiseFilter& depthwise, const PointwiseFilter& pointwise, const ConvOptions& options,
                                 const Activation& depthwise_activation, const Activation& activation, const SqueezeExcite* squeeze_excite,
                                 const TensorTypes& types)
    : Layer(runtime::packed_block(nullptr, depthwise, pointwise, options, {}, depthwise_activation, activation, squeeze_excite, types)) {}

InvertedResidual::InvertedResidual(const PointwiseFilter& expand, const DepthwiseFilter& depthwise, const PointwiseFilter& project,
                                   const ConvOptions& options, const Activation& expand_activation, const Activation& depthwise_activation,
                                   const Activation& activation, const SqueezeExcite* squeeze_excite, const TensorTypes& types)
    : Layer(runtime::packed_block(&expand, depthwise, project, options, expand_activation, depthwise_activation, activation, squeeze_excite,
                                  types)) {}

}  // namespace dwsep
