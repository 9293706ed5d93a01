#include "runtime/layers/standard_pixels.hpp"

#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {
namespace {

/// Whether rows of positions are as far apart as their positions.
bool even(const StandardWork& w, std::int64_t row, std::int64_t pixel) { return row == w.out_width * pixel; }
bool outputs_even(const StandardWork& w) { return even(w, w.y_row, w.y_pixel) && even(w, w.residual_row, w.residual_pixel); }

/// Never a multiple of 2 KB.
std::int64_t gathered_pixel(std::int64_t channels) { return channels % 512 == 0 ? channels + 16 : channels; }

}  // namespace

bool pixel_by_pixel(const StandardWork& w, Range rows) {
  return product({w.kh, w.kw, w.stride_h, w.stride_w}) == 1 && w.pad_top == 0 && w.pad_left == 0 && w.out_width == w.width &&
         rows.end <= w.height;
}

void run_pixels(const StandardWork& w, Range rows) {
  const bool together = even(w, w.x_row, w.x_pixel) && outputs_even(w);
  const std::int64_t step = together ? rows.end - rows.begin : 1;
  GemmWork g = w.gemm;
  g.a_row = w.x_pixel;
  g.y_row = w.y_pixel;
  g.residual_row = w.residual_pixel;
  g.rows = step * w.out_width;
  g.block_rows = gemm_block_rows(g.k);
  for (std::int64_t row = rows.begin; row < rows.end; row += step) {
    g.a = w.gemm.a + row * w.x_row;
    g.y = w.gemm.y + row * w.y_row;
    if (g.residual != nullptr) g.residual = w.gemm.residual + row * w.residual_row;
    active_kernels().gemm(g);
  }
}

bool gathering_pays(const Geometry& g, const Shape& x, std::int64_t channels, std::int64_t panels) {
  const bool inside = g.pad_top == 0 && g.pad_left == 0 && (g.out_h - 1) * g.stride_h < x.h && (g.out_w - 1) * g.stride_w < x.w;
  return g.kh * g.kw == 1 && g.stride_w > 1 && inside && channels >= 16 && panels >= 4;
}

std::int64_t gathered_floats(const Geometry& g, std::int64_t channels) {
  return product({std::max(gemm_block_rows(channels), g.out_w), gathered_pixel(channels)});
}

void run_gathered(const StandardWork& w, Range rows, const PackedMatrix& matrix, float* gathered) {
  const std::int64_t most =
      outputs_even(w) ? std::max(gemm_block_rows(w.channels) / std::max<std::int64_t>(w.out_width, 1), std::int64_t{1}) : 1;
  GemmWork g = w.gemm;
  g.a = gathered;
  g.a_row = gathered_pixel(w.channels);
  g.y_row = w.y_pixel;
  g.residual_row = w.residual_pixel;
  const float* const slopes = matrix.slopes.get();
  const Range part = columns_of(g, matrix.lanes);
  if (part.end <= part.begin) return;  // of few panels a thread may have none
  for_each_piece(rows, rows.end, most, [&](std::int64_t, Range some) {
    float* to = gathered;
    for (std::int64_t r = some.begin; r < some.end; ++r) {
      const float* from = w.gemm.a + r * w.stride_h * w.x_row;
      for (std::int64_t i = 0; i < w.out_width; ++i, from += w.stride_w * w.x_pixel, to += g.a_row) std::copy_n(from, w.channels, to);
    }
    g.rows = g.block_rows = (some.end - some.begin) * w.out_width;
    g.y = w.gemm.y + some.begin * w.y_row;
    if (w.gemm.residual != nullptr) g.residual = w.gemm.residual + some.begin * w.residual_row;
    active_kernels().gemm(g);
    if (slopes != nullptr) apply_slopes(slopes + part.begin, g.y + part.begin, g.y_row, g.rows, part.end - part.begin);
  });
}

}  // namespace dwsep::runtime
