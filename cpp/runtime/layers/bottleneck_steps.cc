#include "runtime/layers/bottleneck_steps.hpp"

#include "runtime/dispatch.hpp"
#include "runtime/layers/blocks.hpp"

namespace dwsep::runtime {

BottleneckSteps::BottleneckSteps(PackedMatrix expand, PackedDepthwise depthwise, PackedMatrix project, const ConvOptions& options,
                                 const Activation& expand_activation, const Activation& depthwise_activation, const Activation& activation)
    : expand_(std::move(expand), expand_activation),
      depthwise_(std::move(depthwise), options, depthwise_activation),
      project_(std::move(project), activation) {
  check_channels("depthwise weights", expand_.packed().columns, depthwise_.packed().channels);
  check_channels("projection weights", depthwise_.packed().outputs(), project_.packed().k);
}

BottleneckSteps::Ring BottleneckSteps::ring_of(std::int64_t rows, std::int64_t width, std::int64_t vectors) const {
  if (depthwise_.packed().multiplier != 1) {
    const std::int64_t pixel = scratch_pixel<float>(expand_.packed().columns);
    return {nullptr, rows, product({width, pixel}), pixel, lanes(), product({rows, width, pixel})};
  }
  // Not near a multiple of 4 KB from vector to vector: all vectors would fall into the same cache sets.
  const std::int64_t vector = round_up(product({rows, width, lanes()}), 1024) + 16;
  return {nullptr, rows, product({width, lanes()}), lanes(), vector, product({vectors, vector})};
}

Range BottleneckSteps::vectors_of(Range panels) const {
  const PackedMatrix& e = expand_.packed();
  return {panels.begin * e.panel_vectors, panels.end == e.panels ? depthwise_.packed().vectors : panels.end * e.panel_vectors};
}

void BottleneckSteps::run_expand(const Call& c, std::int64_t image, Range rows, Range panels, std::int64_t first_vector,
                                 const Ring& ring) const {
  const bool gapless = c.x.stride_h == c.x.shape.w * c.x.stride_w;
  for (std::int64_t row = rows.begin; row < rows.end;) {
    const std::int64_t slot = row % ring.rows;
    const std::int64_t count = gapless ? std::min(rows.end - row, ring.rows - slot) : 1;
    float* y = ring.data + slot * ring.row - first_vector * ring.vector;
    GemmWork w =
        expand_.work(c.x.as<float>() + image * c.x.stride_n + row * c.x.stride_h, c.x.stride_w, y, ring.pixel, count * c.x.shape.w);
    w.y_vector = ring.vector;
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    kernel_table().gemm(w);
    row += count;
  }
}

void BottleneckSteps::run_depthwise(const Call& c, Range rows, Range vectors, std::int64_t first_vector, const Ring& ring,
                                    const DepthwiseOutput& out) const {
  const Source source{ring.data - first_vector * ring.vector, ring.row, ring.pixel, ring.vector, c.x.shape.h, c.x.shape.w, ring.rows};
  DepthwiseWork w = depthwise_.work(c.g, source, {nullptr, c.g.out_w * out.pixel, out.pixel});
  set_area(w, {rows, {0, c.g.out_w}, vectors}, out.y);
  if (out.row_sums != nullptr) w.row_sums = out.row_sums + rows.begin * out.row_sums_stride;
  w.row_sums_stride = out.row_sums_stride;
  depthwise_.run(w);
}

}  // namespace dwsep::runtime
