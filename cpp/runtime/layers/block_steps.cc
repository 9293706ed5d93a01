// The stages of a block, each on a part of one image.
#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/layers/block.hpp"

namespace dwsep::runtime {

void Block::run_expand(const Call& c, std::int64_t image, Range rows, Range panels, std::int64_t first_vector, const Ring& ring) const {
  const bool contiguous = c.x.stride_h == c.x.shape.w * c.x.stride_w;
  for (std::int64_t row = rows.begin; row < rows.end;) {
    const std::int64_t slot = row % ring.rows;
    const std::int64_t count = contiguous ? std::min(rows.end - row, ring.rows - slot) : 1;
    float* y = ring.data + slot * ring.row - first_vector * ring.vector;
    GemmWork w =
        expand_->work(c.x.as<float>() + image * c.x.stride_n + row * c.x.stride_h, c.x.stride_w, y, ring.pixel, count * c.x.shape.w);
    w.y_vector = ring.vector;
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    active_kernels().gemm(w);
    row += count;
  }
}

void Block::fill_ring(const Call& c, std::int64_t image, Range output_rows, const Ring& ring, RingState* state) const {
  const Range needed = input_rows(c.g, c.x.shape.h, output_rows);
  if (image != state->image) *state = {image, 0};
  run_expand(c, image, {std::max(needed.begin, state->end), needed.end}, {0, expand_->packed().panels}, 0, ring);
  state->end = std::max(state->end, needed.end);
}

Source Block::source_of(const Call& c, const Ring& ring, std::int64_t first_vector) {
  return {ring.data - first_vector * ring.vector, ring.row, ring.pixel, ring.vector, c.x.shape.h, c.x.shape.w, ring.rows};
}

void Block::run_depthwise(const Call& c, const Source& x, const Area& area, float* y, std::int64_t pixel,
                          const SqueezeExciteStage::Image& excite) const {
  DepthwiseWork w = depthwise_.work(c.g, x, {nullptr, (area.columns.end - area.columns.begin) * pixel, pixel});
  set_area(w, area, y);
  if (excite.row_sums != nullptr) w.row_sums = excite.row_sums + area.rows.begin * excite.row;
  w.row_sums_stride = excite.row;
  depthwise_.run(w);
}

void Block::run_projection(const Call& c, std::int64_t image, Range pixels, Range panels, const DepthwiseOutput& d) const {
  const bool contiguous =
      c.y.stride_h == c.g.out_w * c.y.stride_w && (c.residual == nullptr || c.residual->stride_h == c.g.out_w * c.residual->stride_w);
  for (std::int64_t p = pixels.begin; p < pixels.end;) {
    const std::int64_t row = p / c.g.out_w, column = p % c.g.out_w,
                       end = contiguous ? pixels.end : std::min(pixels.end, (row + 1) * c.g.out_w);
    const auto offset = [&](const auto& t) { return image * t.stride_n + row * t.stride_h + column * t.stride_w; };
    GemmWork w = project_.work(d.data + p * d.pixel, d.pixel, c.y.as<float>() + offset(c.y), c.y.stride_w, end - p);
    w.segments = d.segments;
    w.segment_count = d.segment_count;
    if (c.residual != nullptr) {
      w.residual = c.residual->as<float>() + offset(*c.residual);
      w.residual_row = c.residual->stride_w;
    }
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    project_.run(w);
    p = end;
  }
}

void Block::project_image(Team& team, const Call& c, std::int64_t image, const DepthwiseOutput& d, const Layout& l) const {
  const std::int64_t pixels = c.g.out_h * c.g.out_w;
  const Range mine = part_of(pixels, team.rank(), team.size());
  const auto scale = [&](const Segment* segments, std::int64_t count, Range part) {
    for (const Segment* s = segments; s < segments + count; ++s) {
      float* const x = d.data + s->a + part.begin * d.pixel;
      active_kernels().tensor.binary({BinaryFunction::mul, x, l.excite.factors + s->k, x, d.pixel, 0, d.pixel, false, false,
                                      part.end - part.begin, s->length, Activation::none()});
    }
  };
  if (squeeze_excite_) squeeze_excite_->run(l.excite, c.g.out_h, pixels, team);
  if (split_by_panels(columns_of(project_.packed()), pixels, pixels, team.size())) {
    // All threads read all pixels: each multiplies what it wrote by the factors, its channels or its rows.
    if (squeeze_excite_) {
      d.segment_count > 1 ? scale(d.segments + team.rank(), 1, {0, pixels}) : scale(d.segments, 1, mine);
      team.barrier();
    }
    return run_projection(c, image, {0, pixels}, part_of(project_.packed().panels, team.rank(), team.size()), d);
  }
  if (!squeeze_excite_) return run_projection(c, image, mine, all_panels(), d);
  // A block is multiplied by the factors just before it is read, and not fewer pixels than the product walks at a time: 112x112x32 -> 16
  // took 397 us by 56 pixels, 356 by 1008.
  const std::int64_t step = gemm_block_rows(project_.packed().k);
  for (std::int64_t p = mine.begin; p < mine.end; p += step) {
    const Range part{p, std::min(p + step, mine.end)};
    scale(d.segments, d.segment_count, part);
    run_projection(c, image, part, all_panels(), d);
  }
}

}  // namespace dwsep::runtime
