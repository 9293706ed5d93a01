#include "runtime/layers/projection.hpp"

#include "runtime/dispatch.hpp"

namespace dwsep::runtime {

void run_projection(const PointwiseStage& project, const FusedCall& c, std::int64_t image, Range pixels, Range panels,
                    const Middle& middle) {
  const bool gapless =
      c.y.stride_h == c.g.out_w * c.y.stride_w && (c.residual == nullptr || c.residual->stride_h == c.g.out_w * c.residual->stride_w);
  for (std::int64_t p = pixels.begin; p < pixels.end;) {
    const std::int64_t row = p / c.g.out_w, column = p % c.g.out_w,
                       end = gapless ? pixels.end : std::min(pixels.end, (row + 1) * c.g.out_w);
    const auto offset = [&](const auto& t) { return image * t.stride_n + row * t.stride_h + column * t.stride_w; };
    GemmWork w = project.work(middle.data + p * middle.pixel, middle.pixel, c.y.as<float>() + offset(c.y), c.y.stride_w, end - p);
    w.segments = middle.segments;
    w.segment_count = middle.segment_count;
    if (c.residual != nullptr) {
      w.residual = c.residual->as<float>() + offset(*c.residual);
      w.residual_row = c.residual->stride_w;
    }
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    project.run(w);
    p = end;
  }
}

void run_gated_projection(const PointwiseStage& project, const FusedCall& c, std::int64_t image, Range pixels, const Middle& middle,
                          const float* gate) {
  // Not fewer than the product walks at a time: 112x112x32 -> 16 took 397 us by 56 pixels, 356 by 1008.
  const std::int64_t rows = gemm_block_rows(project.packed().k);
  for (std::int64_t p = pixels.begin; p < pixels.end; p += rows) {
    const Range block{p, std::min(p + rows, pixels.end)};
    scale(middle, block, gate);
    run_projection(project, c, image, block, {0, project.packed().panels}, middle);
  }
}

void scale(const Middle& middle, Range pixels, const float* gate) {
  for (std::int64_t i = 0; i < middle.segment_count; ++i) {
    const Segment& s = middle.segments[i];
    float* const x = middle.data + s.a + pixels.begin * middle.pixel;
    kernel_table().tensor.binary({BinaryFunction::mul, x, gate + s.k, x, middle.pixel, 0, middle.pixel, false, false,
                                  pixels.end - pixels.begin, s.length, Activation::none()});
  }
}

}  // namespace dwsep::runtime
