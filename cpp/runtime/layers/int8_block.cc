#include "runtime/layers/int8_block.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/layers/cache_blocks.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {
namespace {

/// The type of an intermediate result, which is int8 whatever it is called.
Affine between(const TensorType& t, const char* name, std::int64_t channels, Scales scales) {
  Affine a = checked_affine(t.dtype, t.quantization, name, channels, scales);
  a.dtype = DType::int8;
  return a;
}

/// Calls f(rows, first pixel of the image) for the parts of `pixels` that lie in one row, or for all at once where the rows are even.
template <class F>
void for_each_run(Range pixels, std::int64_t width, bool even, const F& f) {
  for (std::int64_t first = pixels.begin; first < pixels.end;) {
    const std::int64_t end = even ? pixels.end : std::min(pixels.end, (first / width + 1) * width);
    f(Range{first, end});
    first = end;
  }
}

bool even_rows(const ConstTensor& t) { return t.shape.h == 1 || t.stride_h == t.shape.w * t.stride_w; }

}  // namespace

Int8Block::Int8Block(const Int8BlockParts& p, const TensorTypes& types)
    : kh_(p.depthwise.kh),
      kw_(p.depthwise.kw),
      channels_(p.expand != nullptr ? p.expand->in : p.depthwise.channels),
      options_(p.options),
      types_(types) {
  const std::int64_t in = p.depthwise.channels, out = in * p.depthwise.multiplier;
  if (p.expand != nullptr) check_channels("depthwise weights", p.expand->out, in);
  check_channels(p.expand != nullptr ? "projection weights" : "pointwise weights", out, p.project.in);
  const Int8Tensors ends = checked_tensors(types, channels_, p.project.out, p.expand != nullptr ? Scales::one : Scales::one_or_each);
  Affine x = ends.x;
  if (p.expand != nullptr) {
    const Affine expanded = between(types.expanded, "expanded", in, Scales::one_or_each);
    expand_.emplace(int8_filter(*p.expand, "expand_weight"), Int8Tensors{x, expanded, {}}, p.expand_activation);
    x = expanded;
  }
  const Affine middle = between(types.depthwise, "depthwise", out, Scales::one);
  depthwise_.emplace(int8_filter(p.depthwise, p.options, "depthwise_weight"), Int8Tensors{x, middle, {}}, p.depthwise_activation);
  project_.emplace(int8_filter(p.project, "weight"), Int8Tensors{middle, ends.y, ends.residual}, p.activation);
}

Shape Int8Block::output_shape(const Shape& x) const {
  check_channels("x", channels_, x.c);
  const Geometry g = geometry(x);
  return {x.n, g.out_h, g.out_w, project_->columns()};
}

double Int8Block::flops(const Geometry& g, const Shape& x) const {
  const double out = magnitude(x.n, g.out_h, g.out_w);
  return (expand_ ? expand_->flops(magnitude(x.n, x.h, x.w)) : 0) + depthwise_->flops(out) + project_->flops(out);
}

double Int8Block::weight_bytes() const {
  return (expand_ ? expand_->weight_bytes() : 0) + depthwise_->weight_bytes() + project_->weight_bytes();
}

int Int8Block::useful_threads(const Shape& x, int threads) const {
  const Geometry g = geometry(x);
  const double depthwise = depthwise_->flops(magnitude(x.n, g.out_h, g.out_w));
  return worthwhile_threads(threads, {0, 0}, {flops(g, x) - depthwise, depthwise * taps_inside(g, x)}, tensor_bytes(x, types_.x.dtype));
}

Plan Int8Block::plan(const Shape& x, int threads) const {
  const Geometry g = geometry(x);
  const int team = useful_threads(x, threads);
  const bool shared = shares_images(g, x, team);
  return {std::string(expand_ ? "inverted residual" : "separable") + (shared ? ", by image" : ", by rows"),
          (expand_ ? std::string(expand_->kernel_name()) + " + " : "") + depthwise_->kernel_name() + " + " + project_->kernel_name(),
          shared ? expand_ ? "pixels, rows, then pixels" : "rows, then pixels" : "blocks of rows",
          team,
          flops(g, x),
          tensor_bytes(x, types_.x.dtype) + tensor_bytes({x.n, g.out_h, g.out_w, project_->columns()}, types_.y.dtype) + weight_bytes()};
}

bool Int8Block::shares_images(const Geometry& g, const Shape& x, int threads) const {
  if (threads == 1 || x.n >= 4 * threads) return false;
  // Without expansion where rows divide unevenly: 7x7 1024->1024 as 3 and 4 rows 1.80 times as fast on two threads.
  const std::int64_t rows = x.n * g.out_h;
  if (!expand_ && (rows % threads == 0 || rows >= 16 * threads)) return false;
  const std::int64_t bytes =
      (expand_ ? product({x.h, x.w, depthwise_->columns()}) : 0) + product({g.out_h, g.out_w, depthwise_->columns()});
  return bytes <= 2 * cache_budget();
}

Int8Block::Layout Int8Block::layout(bool shared, const Geometry& g, const Shape& x, int threads, Scratch& scratch) const {
  Layout l{};
  l.depthwise_pixel = scratch_pixel<std::int8_t>(depthwise_->columns());
  l.rows = g.out_h;
  if (!shared)
    l.rows = std::clamp<std::int64_t>(cache_budget() / std::max<std::int64_t>(product({g.out_w, l.depthwise_pixel, 2}), 1), 1,
                                      std::max<std::int64_t>(g.out_h, 1));
  const int pieces = shared ? 1 : threads;
  if (expand_) {
    l.expanded_pixel = scratch_pixel<std::int8_t>(expand_->columns());
    l.expanded_rows = shared ? x.h : std::min(x.h, (l.rows - 1) * g.stride_h + (g.kh - 1) * g.dilation_h + 1);
    l.expanded = scratch.take_each<std::int8_t>(pieces, product({l.expanded_rows, x.w, l.expanded_pixel}));
  }
  l.depthwise = scratch.take_each<std::int8_t>(pieces, product({l.rows, g.out_w, l.depthwise_pixel}));
  const std::int64_t floats =
      std::max({expand_ ? expand_->finish_floats(1) : 0, depthwise_->finish_floats(g.out_w), project_->finish_floats(1)});
  l.floats = scratch.take_each<float>(threads, floats);
  return l;
}

std::int64_t Int8Block::scratch_bytes(const Shape& x, int threads) const {
  const Geometry g = geometry(x);
  std::int64_t most = 0;
  for (int team = 1; team <= threads; ++team) {
    most = std::max(most, measure([&](Scratch& s) { layout(shares_images(g, x, team), g, x, team, s); }));
  }
  return most;
}

void Int8Block::run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept {
  const Call c{geometry(x.shape), x, y, residual};
  const bool shared = shares_images(c.g, x.shape, team.size());
  const Layout l = layout(shared, c.g, x.shape, team.size(), scratch);
  shared ? run_images(team, c, l) : run_rows(team, c, l);
}

void Int8Block::run_images(Team& team, const Call& c, const Layout& l) const {
  const Shape& s = c.x.shape;
  std::int8_t *const expanded = expand_ ? l.expanded[0] : nullptr, *const depthwise = l.depthwise[0];
  float* const floats = l.floats[team.rank()];
  const auto divide = [&](const Int8Stage& stage, std::int64_t pixels, const auto& f) {
    const bool by_panels = split_by_panels(stage.all_columns(), pixels, pixels, team.size());
    const Range all{0, pixels}, panels{0, stage.panels()};
    if (by_panels) return f(all, part_of(panels.end, team.rank(), team.size()));
    const std::int64_t least = worthwhile_piece({0, 0}, {stage.flops(static_cast<double>(pixels)), 0}, pixels);
    share_pixels(team, pixels, least, [&](std::int64_t begin, std::int64_t end) { f(Range{begin, end}, panels); });
  };
  for (std::int64_t image = 0; image < s.n; ++image) {
    Int8Source from = image_of_int8(c.x, image);
    if (expand_) {
      divide(*expand_, s.h * s.w, [&](Range pixels, Range panels) {
        expand_rows(c, image, pixels, panels, expanded + pixels.begin * l.expanded_pixel, l.expanded_pixel, floats);
      });
      from = {expanded, s.w * l.expanded_pixel, l.expanded_pixel, s.h, s.w};
    }
    if (expand_ || image > 0) team.barrier();
    for_each_rows(
        1, c.g.out_h, depthwise_->panels(), team.rank(), team.size(),
        [&](std::int64_t, Range rows, Range panels) {
          depthwise_rows(c, from, rows, panels, depthwise + rows.begin * c.g.out_w * l.depthwise_pixel, l.depthwise_pixel, floats);
        },
        false, depthwise_->rows_together());
    team.barrier();
    divide(*project_, c.g.out_h * c.g.out_w, [&](Range pixels, Range panels) {
      project_pixels(c, image, pixels, panels, depthwise + pixels.begin * l.depthwise_pixel, l.depthwise_pixel, floats);
    });
  }
}

void Int8Block::run_rows(Team& team, const Call& c, const Layout& l) const {
  const Shape& s = c.x.shape;
  std::int8_t *const expanded = l.expanded[team.rank()], *const depthwise = l.depthwise[team.rank()];
  float* const floats = l.floats[team.rank()];
  const std::int64_t row_bytes = s.w * l.expanded_pixel;
  std::int64_t last_image = -1;
  Range kept{0, 0};  // rows of the expanded image in memory
  const Range mine = part_of(s.n * c.g.out_h, team.rank(), team.size());
  for_each_piece(mine, c.g.out_h, l.rows, [&](std::int64_t image, Range rows) {
    Int8Source from{};
    if (expand_) {
      const Range wanted = input_rows(c.g, s.h, rows);
      if (image != last_image || wanted.begin >= kept.end) kept = {wanted.begin, wanted.begin};
      last_image = image;
      const std::int64_t again = kept.end - wanted.begin;  // rows that the block before has computed
      if (again > 0 && wanted.begin > kept.begin) {
        std::memmove(expanded, expanded + (wanted.begin - kept.begin) * row_bytes, static_cast<std::size_t>(again * row_bytes));
      }
      expand_rows(c, image, {kept.end * s.w, wanted.end * s.w}, {0, expand_->panels()}, expanded + again * row_bytes, l.expanded_pixel,
                  floats);
      kept = wanted;
      // Quads read up to three filter rows more, for weights of 0: those of the image that are not here are padding.
      from = {expanded - wanted.begin * row_bytes, row_bytes, l.expanded_pixel, wanted.end, s.w};
    } else {
      from = image_of_int8(c.x, image);
    }
    depthwise_rows(c, from, rows, {0, depthwise_->panels()}, depthwise, l.depthwise_pixel, floats);
    project_pixels(c, image, {rows.begin * c.g.out_w, rows.end * c.g.out_w}, {0, project_->panels()}, depthwise, l.depthwise_pixel, floats);
  });
}

void Int8Block::expand_rows(const Call& c, std::int64_t image, Range pixels, Range panels, std::int8_t* to, std::int64_t pixel,
                            float* floats) const {
  const std::int64_t width = c.x.shape.w;
  for_each_run(pixels, width, even_rows(c.x), [&](Range run) {
    Int8GemmWork w = expand_->gemm();
    w.a = c.x.as<std::int8_t>() + image * c.x.stride_n + run.begin / width * c.x.stride_h + run.begin % width * c.x.stride_w;
    w.a_row = c.x.stride_w;
    w.y = to + (run.begin - pixels.begin) * pixel;
    w.y_row = pixel;
    w.rows = run.end - run.begin;
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    expand_->run(w, floats);
  });
}

void Int8Block::depthwise_rows(const Call& c, const Int8Source& from, Range rows, Range panels, std::int8_t* to, std::int64_t pixel,
                               float* floats) const {
  Int8DepthwiseWork w = depthwise_->depthwise(c.g, from);
  w.y = to;
  w.y_row = c.g.out_w * pixel;
  w.y_pixel = pixel;
  w.y_begin = rows.begin;
  w.y_end = rows.end;
  w.panel_begin = panels.begin;
  w.panel_end = panels.end;
  depthwise_->run(w, floats);
}

void Int8Block::project_pixels(const Call& c, std::int64_t image, Range pixels, Range panels, const std::int8_t* from, std::int64_t pixel,
                               float* floats) const {
  const std::int64_t width = c.g.out_w;
  const bool even = even_rows(c.y) && (c.residual == nullptr || even_rows(*c.residual));
  for_each_run(pixels, width, even, [&](Range run) {
    const auto offset = [&](const ConstTensor& t) {
      return image * t.stride_n + run.begin / width * t.stride_h + run.begin % width * t.stride_w;
    };
    Int8GemmWork w = project_->gemm();
    w.a = from + (run.begin - pixels.begin) * pixel;
    w.a_row = pixel;
    w.y = c.y.as<std::byte>() + offset(c.y) * project_->y_size();
    w.y_row = c.y.stride_w;
    if (c.residual != nullptr) {
      w.residual.data = c.residual->as<std::int8_t>() + offset(*c.residual);
      w.residual.row = c.residual->stride_w;
    }
    w.rows = run.end - run.begin;
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    project_->run(w, floats);
  });
}

std::shared_ptr<const PackedLayer> make_int8_block(const Int8BlockParts& parts, const TensorTypes& types) {
  return std::make_shared<Int8Block>(parts, types);
}

}  // namespace dwsep::runtime
