// InvertedResidual: expansion, depthwise and projection without the two wide tensors between them.
//
// By rows: a ring of expanded rows, just as many as a block of output rows needs, then the block's depthwise output, then its projection.
// By channels, for small images: a few panels of expanded channels at a time, whole images of them; only the depthwise output is kept
// whole. Rows there are few, so threads divide the channels, and no row is expanded twice.
#include <algorithm>
#include <array>

#include "runtime/blocks.hpp"
#include "runtime/buffer.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/stages.hpp"
#include "runtime/thread_pool.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Bottleneck final : public PackedLayer {
 public:
  Bottleneck(const PointwiseFilter& expand, const DepthwiseFilter& depthwise, const PointwiseFilter& project, const ConvOptions& options,
             const Activation& expand_activation, const Activation& depthwise_activation, const Activation& activation)
      : expand_(expand, expand_activation), depthwise_(depthwise, options, depthwise_activation), project_(project, activation) {
    check_channels("depthwise weights", expand.out, depthwise.channels);
    check_channels("projection weights", depthwise_.packed().outputs(), project.in);
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", expand_.packed().k, x.c);
    const Geometry g = depthwise_.geometry(x);
    return {x.n, g.out_h, g.out_w, project_.packed().columns};
  }

  void run(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads) const override {
    const Call c{depthwise_.geometry(x.shape), x, y, residual, scratch_pixel(depthwise_.packed().outputs())};
    const Split split = choose(c.g, x.shape, threads);
    split.by_channels ? run_channels(c, split.threads) : run_rows(c, split.threads);
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = depthwise_.geometry(x);
    const Split split = choose(g, x, threads);
    return {split.by_channels ? "inverted residual, fused by channels" : "inverted residual, fused by rows",
            expand_.kernel_name() + " + " + depthwise_.kernel_name() + " + " + project_.kernel_name(),
            split.by_channels ? "channels, then output channels or pixels" : "blocks of rows",
            split.threads,
            flops(g, x),
            tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, project_.packed().columns}) + expand_.weight_bytes() +
                depthwise_.weight_bytes() + project_.weight_bytes()};
  }

 private:
  struct Call {
    Geometry g;
    const ConstTensor& x;
    const Tensor& y;
    const ConstTensor* residual;
    std::int64_t pixel;  ///< of the depthwise output in scratch
  };
  struct Split {
    int threads;
    bool by_channels;
  };
  /// Expanded activations in scratch: [vector][row slot][pixel][lane], so that depthwise reads whole lines whatever the channels are.
  /// With a channel multiplier, whose vectors read across vectors: [row slot][pixel][channel].
  struct Ring {
    float* data;
    std::int64_t rows, row, pixel, vector, floats;
  };

  static constexpr int kMaxParts = 64;

  int lanes() const { return expand_.packed().lanes; }

  double flops(const Geometry& g, const Shape& x) const {
    return expand_.flops(x.n * x.h * x.w) + depthwise_.flops(g, x.n) + project_.flops(x.n * g.out_h * g.out_w);
  }

  Split choose(const Geometry& g, const Shape& x, int threads) const {
    threads = worthwhile_threads(threads, flops(g, x), tensor_bytes(x));
    const bool plain = depthwise_.packed().multiplier == 1;
    const bool small = g.out_h * g.out_w * depthwise_.packed().outputs() <= 2 * cache_budget_floats() &&
                       x.h * x.w * lanes() * expand_.packed().panel_vectors <= cache_budget_floats();
    // In a batch, whole images for each thread save the waiting, unless the weights are too large to stay in each one's cache.
    const bool by_images = threads > 1 && x.n >= threads &&
                           expand_.weight_bytes() + project_.weight_bytes() <= 8.0 * static_cast<double>(cache_budget_floats());
    return {threads, plain && small && !by_images && threads <= kMaxParts && expand_.packed().panels >= 2 * threads};
  }

  Ring ring_of(std::int64_t rows, std::int64_t width, std::int64_t vectors) const {
    if (depthwise_.packed().multiplier != 1) {
      const std::int64_t pixel = scratch_pixel(expand_.packed().columns);
      return {nullptr, rows, width * pixel, pixel, lanes(), rows * width * pixel};
    }
    // Not near a multiple of 4 KB from vector to vector: all vectors would fall into the same cache sets.
    const std::int64_t vector = round_up(rows * width * lanes(), 1024) + 16;
    return {nullptr, rows, width * lanes(), lanes(), vector, vectors * vector};
  }

  /// Expands rows of an image into slots of the ring, panels [panels) only; the ring's vector 0 is `first_vector`.
  void run_expand(const Call& c, std::int64_t image, Range rows, Range panels, std::int64_t first_vector, const Ring& ring) const {
    const bool gapless = c.x.stride_h == c.x.shape.w * c.x.stride_w;
    for (std::int64_t row = rows.begin; row < rows.end;) {
      const std::int64_t slot = row % ring.rows;
      const std::int64_t count = gapless ? std::min(rows.end - row, ring.rows - slot) : 1;
      float* y = ring.data + slot * ring.row - first_vector * ring.vector;
      GemmWork w = expand_.work(c.x.data + image * c.x.stride_n + row * c.x.stride_h, c.x.stride_w, y, ring.pixel, count * c.x.shape.w);
      w.y_vector = ring.vector;
      w.panel_begin = panels.begin;
      w.panel_end = panels.end;
      kernel_table().gemm(w);
      row += count;
    }
  }

  /// Vectors [vectors) of output rows; y is at the first pixel, and at the channel 0 that it would have.
  void run_depthwise(const Call& c, Range rows, Range vectors, std::int64_t first_vector, const Ring& ring, float* y,
                     std::int64_t y_pixel) const {
    const Source source{ring.data - first_vector * ring.vector, ring.row, ring.pixel, ring.vector, c.x.shape.h, c.x.shape.w, ring.rows};
    DepthwiseWork w = depthwise_.work(c.g, source, {nullptr, c.g.out_w * y_pixel, y_pixel});
    set_area(w, {rows, {0, c.g.out_w}, vectors}, y);
    depthwise_.run(w);
  }

  /// Output pixels of an image from their depthwise output, whose channels lie in one or more segments; middle is pixel 0 of the image.
  void run_project(const Call& c, std::int64_t image, Range pixels, Range panels, const float* middle, std::int64_t pixel,
                   const Segment* segments, std::int64_t segment_count) const {
    const bool gapless =
        c.y.stride_h == c.g.out_w * c.y.stride_w && (c.residual == nullptr || c.residual->stride_h == c.g.out_w * c.residual->stride_w);
    for (std::int64_t p = pixels.begin; p < pixels.end;) {
      const std::int64_t row = p / c.g.out_w, column = p % c.g.out_w,
                         end = gapless ? pixels.end : std::min(pixels.end, (row + 1) * c.g.out_w);
      const auto offset = [&](const auto& t) { return image * t.stride_n + row * t.stride_h + column * t.stride_w; };
      GemmWork w = project_.work(middle + p * pixel, pixel, c.y.data + offset(c.y), c.y.stride_w, end - p);
      w.segments = segments;
      w.segment_count = segment_count;
      if (c.residual != nullptr) {
        w.residual = c.residual->data + offset(*c.residual);
        w.residual_row = c.residual->stride_w;
      }
      w.panel_begin = panels.begin;
      w.panel_end = panels.end;
      kernel_table().gemm(w);
      p = end;
    }
  }

  /// Input rows that output rows [rows) read.
  Range input_rows(const Call& c, Range rows) const {
    const std::int64_t begin = rows.begin * c.g.stride_h - c.g.pad_top;
    const std::int64_t end = (rows.end - 1) * c.g.stride_h - c.g.pad_top + (c.g.kh - 1) * c.g.dilation_h + 1;
    return {std::clamp<std::int64_t>(begin, 0, c.x.shape.h), std::clamp<std::int64_t>(end, 0, c.x.shape.h)};
  }

  void run_rows(const Call& c, int threads) const {
    const std::int64_t vectors = depthwise_.packed().vectors, inputs = ceil_div(expand_.packed().columns, lanes());
    const std::int64_t height = std::min(choose_block(c.g, c.pixel, cache_budget_floats()).rows, c.g.out_h);
    const std::int64_t ring_rows = std::clamp<std::int64_t>((height - 1) * c.g.stride_h + (c.g.kh - 1) * c.g.dilation_h + 1, 1,
                                                            std::max<std::int64_t>(c.x.shape.h, 1));
    const Ring shape = ring_of(ring_rows, c.x.shape.w, inputs);
    const std::int64_t part = shape.floats + height * c.g.out_w * c.pixel;
    float* const scratch = thread_scratch(threads * part);
    parallel(threads, [&](Team& team) {
      Ring ring = shape;
      ring.data = scratch + team.rank() * part;
      float* const middle = ring.data + ring.floats;
      const Range mine = part_of(c.x.shape.n * c.g.out_h, team.rank(), team.size());
      std::int64_t expanded_image = -1, expanded = 0;  // rows before `expanded` of that image are in the ring, or were
      for (std::int64_t row = mine.begin; row < mine.end;) {
        const std::int64_t image = row / c.g.out_h, first = row % c.g.out_h;
        const Range rows{first, first + std::min({height, mine.end - row, c.g.out_h - first})};
        const Range needed = input_rows(c, rows);
        if (image != expanded_image) expanded = 0;
        run_expand(c, image, {std::max(needed.begin, expanded), needed.end}, {0, expand_.packed().panels}, 0, ring);
        expanded_image = image;
        expanded = std::max(expanded, needed.end);
        run_depthwise(c, rows, {0, vectors}, 0, ring, middle, c.pixel);
        const Range pixels{rows.begin * c.g.out_w, rows.end * c.g.out_w};
        run_project(c, image, pixels, {0, project_.packed().panels}, middle - pixels.begin * c.pixel, c.pixel, &project_.packed().whole, 1);
        row += rows.end - rows.begin;
      }
    });
  }

  /// First and last vector of expanded channels of a range of panels.
  Range vectors_of(Range panels) const {
    const PackedMatrix& e = expand_.packed();
    return {panels.begin * e.panel_vectors, panels.end == e.panels ? depthwise_.packed().vectors : panels.end * e.panel_vectors};
  }

  void run_channels(const Call& c, int threads) const {
    const PackedMatrix& e = expand_.packed();
    const Ring shape = ring_of(std::max<std::int64_t>(c.x.shape.h, 1), c.x.shape.w, e.widest_panel());
    // Each thread's channels of the depthwise output lie together: lines of two threads side by side would travel between their cores.
    const std::int64_t widest = vectors_of({0, ceil_div(e.panels, threads)}).end + e.widest_panel();
    const std::int64_t pixel = scratch_pixel(widest * lanes()), middle_floats = c.g.out_h * c.g.out_w * pixel;
    const std::int64_t part = shape.floats + middle_floats;
    float* const scratch = thread_scratch(threads * part);
    std::array<Segment, kMaxParts> segments;
    for (int i = 0; i < threads; ++i) {
      const Range v = vectors_of(part_of(e.panels, i, threads));
      segments[static_cast<std::size_t>(i)] = {i * part + shape.floats, v.begin * lanes(),
                                               std::min(v.end * lanes(), e.columns) - v.begin * lanes()};
    }
    parallel(threads, [&](Team& team) {
      for (std::int64_t image = 0; image < c.x.shape.n; ++image) {
        // The team may be smaller than the number of parts.
        for (int i = team.rank(); i < threads; i += team.size())
          run_part(c, image, part_of(e.panels, i, threads), shape, scratch + i * part, pixel);
        team.barrier();
        run_project_part(c, image, team, scratch, pixel, segments.data(), threads);
        team.barrier();
      }
    });
  }

  /// Expansion and depthwise of some panels of expanded channels, a panel at a time: it stays in cache.
  void run_part(const Call& c, std::int64_t image, Range panels, Ring ring, float* scratch, std::int64_t pixel) const {
    ring.data = scratch;
    float* const middle = scratch + ring.floats - vectors_of(panels).begin * lanes();
    for (std::int64_t p = panels.begin; p < panels.end; ++p) {
      const Range vectors = vectors_of({p, p + 1});
      run_expand(c, image, {0, c.x.shape.h}, {p, p + 1}, vectors.begin, ring);
      run_depthwise(c, {0, c.g.out_h}, vectors, vectors.begin, ring, middle, pixel);
    }
  }

  /// A thread's part of the projection of one image: output channels, or pixels.
  void run_project_part(const Call& c, std::int64_t image, Team& team, const float* scratch, std::int64_t pixel, const Segment* segments,
                        int segment_count) const {
    const std::int64_t panels = project_.packed().panels, pixels = c.g.out_h * c.g.out_w;
    if (split_by_panels(project_.packed(), pixels, team.size())) {
      run_project(c, image, {0, pixels}, part_of(panels, team.rank(), team.size()), scratch, pixel, segments, segment_count);
    } else {
      run_project(c, image, part_of(pixels, team.rank(), team.size()), {0, panels}, scratch, pixel, segments, segment_count);
    }
  }

  PointwiseStage expand_;
  DepthwiseStage depthwise_;
  PointwiseStage project_;
};

}  // namespace

InvertedResidual::InvertedResidual(const PointwiseFilter& expand, const DepthwiseFilter& depthwise, const PointwiseFilter& project,
                                   const ConvOptions& options, const Activation& expand_activation, const Activation& depthwise_activation,
                                   const Activation& activation)
    : Layer(std::make_shared<Bottleneck>(expand, depthwise, project, options, expand_activation, depthwise_activation, activation)) {}

}  // namespace dwsep
