// Depthwise stages: which kernel runs, and a dilation by sub-grids.
#include <algorithm>

#include "dwsep/cpu.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep::runtime {
namespace {

bool dilated(const ConvOptions& o) { return o.dilation_h > 1 || o.dilation_w > 1; }

const KernelEntry& find_kernel(const PackedDepthwise& f, const ConvOptions& o) {
  return kernel_for(Family::depthwise, {f.kh, f.kw, o.stride_h, o.stride_w, o.dilation_h, o.dilation_w, f.multiplier, 0});
}

/// The kernel for one sub-grid of a dilation without stride: the undilated filter.
const KernelEntry* find_sub_grid_kernel(const PackedDepthwise& f, const ConvOptions& o) {
  if (!dilated(o) || o.stride_h > 1 || o.stride_w > 1) return nullptr;
  return &kernel_for(Family::depthwise, {f.kh, f.kw, 1, 1, 1, 1, f.multiplier, 0});
}

/// One of the `dilation` sub-grids of an axis: outputs offset, offset + dilation, ... read inputs first, first + dilation, ...
struct SubGrid {
  std::int64_t first, size, pad;
  SubGrid(std::int64_t offset, std::int64_t dilation, std::int64_t padding, std::int64_t input) {
    const std::int64_t start = offset - padding;
    const std::int64_t before = start < 0 ? ceil_div(-start, dilation) : -(start / dilation);
    first = start + before * dilation;
    size = first < input ? ceil_div(input - first, dilation) : 0;
    pad = before;
  }
};

/// Whether the dilated kernel, which goes by lists of taps, is faster than sub-grids, each of which is a call: where these have few outputs
/// or less than a vector of channels, and rows or four taps, which share few inputs on a sub-grid either. us on Zen 3, by sub-grids / so:
/// 36x36x6 3x3 of dilation 12 157 -> 24, 14x14x40 14.8 -> 6.6, 27x27x2 2x2 92 -> 5.7, 135x36x32 133 -> 55, 28x28x128 1x5 of dilation 2
/// 62 -> 53; but 19x19x352 3x3 of dilation 8 52 -> 70.
bool dilated_gains(const DepthwiseWork& w) {
  const auto steps = [](std::int64_t outputs, std::int64_t dilation) { return ceil_div(outputs, dilation); };
  const std::int64_t vectors = w.v_end - w.v_begin;
  const std::int64_t sub_grid = steps(w.y_end - w.y_begin, w.dilation_h) * steps(w.out_width, w.dilation_w) * vectors;
  const std::int64_t lanes = active_kernels().lanes, taps = w.kh * w.kw;
  // 5x5 has a kernel of its own for sub-grids: 24x24x32 of dilation 6 9.2 us by it and 15, 28x14x64 of 7 12 and 18, but 16x16x64 of 8 29
  // and 5.5. Of 22 layers on both sides of it all by lists take 1.03 of the time, all by sub-grids 1.02 (Zen 3).
  const std::int64_t few_outputs = lanes == 8 && w.kh == 5 && w.kw == 5 ? 10 : 35;
  const bool few = w.kh == 1 || (w.kh == 2 && w.kw <= 2), small = sub_grid < few_outputs * w.kh || w.channels < lanes;
  // AVX2: filters of two rows or columns, up to eight taps, on up to 24 vectors, 28x28x72 3x2 of dilation 4 41 -> 19, 65x65x40 4x2 107 ->
  // 61, 28x28x192 3x2 67 -> 60, but 40x40x256 3x2 219 -> 243, 33x33x96 2x5 51 -> 66, 28x28x72 2x7 29 -> 36; multipliers of whole vectors up
  // to 16 taps, or of so few channels that pixels are taken side by side up to nine, 33x33 64->2048 4x4 2,070 -> 1,390, 28x28 12->96 3x5
  // 51 -> 42, 64x64 3->12 3x3 61 -> 42, but 28x28 16->128 5x5 79 -> 153, 24->384 5x5 267 -> 390, 64x64 3->12 3x4 52 -> 55.
  const bool narrow = std::min(w.kh, w.kw) == 2 && taps <= 8 && vectors <= 24;
  const auto inside = [](std::int64_t size, std::int64_t taps_of, std::int64_t step) {
    return std::max<std::int64_t>(size - (taps_of - 1) * step, 0);
  };
  const bool mostly = inside(w.height, w.kh, w.dilation_h) * inside(w.width, w.kw, w.dilation_w) * 2 >= w.height * w.width;
  const bool broadcasts = mostly && taps <= 16 && w.multiplier % lanes == 0 && w.multiplier < w.channels;
  const bool adjacent = taps <= 9 && w.multiplier > 1 && w.channels < 4 * w.multiplier;
  return lanes <= 8 && taps <= 64 && (few || small || (lanes == 8 && (narrow || broadcasts || adjacent)));
}

}  // namespace

PackedDepthwise checked_pack(const DepthwiseFilter& f, const ConvOptions& options) {
  check_types(f);
  check_options(options, f.kh, f.kw);
  if (f.channels < 1) reject("channels", "1 or more", std::to_string(f.channels));
  if (f.multiplier < 1) reject("multiplier", "1 or more", std::to_string(f.multiplier));
  check_weights(f.weight, {f.kh, f.kw, f.channels, f.multiplier});
  return pack(f, active_kernels().lanes);
}

DepthwiseStage::DepthwiseStage(PackedDepthwise packed, const ConvOptions& options, const Activation& activation)
    : packed_(std::move(packed)),
      options_(options),
      activation_(activation),
      kernel_(&find_kernel(packed_, options)),
      sub_grid_kernel_(find_sub_grid_kernel(packed_, options)) {
  check_options(options, packed_.kh, packed_.kw);
  check_activation(activation);
  check_lanes(packed_.lanes);
}

std::string DepthwiseStage::kernel_name() const {
  return sub_grid_kernel_ == nullptr ? kernel_->name : std::string(sub_grid_kernel_->name) + ", by sub-grids of the dilation unless small";
}

void DepthwiseStage::run(const DepthwiseWork& w) const {
  // What has one tap has no dilation: 56x40x100 3x1 of dilation 3 102 -> 62.
  if ((w.kh == 1 && w.dilation_h > 1) || (w.kw == 1 && w.dilation_w > 1)) {
    DepthwiseWork one = w;
    if (w.kh == 1) one.dilation_h = 1;
    if (w.kw == 1) one.dilation_w = 1;
    return run(one);
  }
  // A sub-grid has only a part of each row: the sums of rows come from the dilated kernel, with the same bits.
  if (sub_grid_kernel_ == nullptr || w.ring < w.height || w.row_sums != nullptr || dilated_gains(w)) return kernel_->run(&w);
  // Pixels of a sub-grid are far apart, which the prefetchers do not follow, and each line is read for several: of large images a few rows
  // are fetched before, of half the level-2 cache. us on Zen 3, cold / again: 138x138x30 of dilation 6 1934 / 973 -> 1246 / 572, 65x65x256
  // of 12 1406 / 893 -> 1363 / 748; of less than 2 MB 65x65x64 of 12 524 / 146 -> 473 / 194.
  const std::int64_t row_bytes = std::max<std::int64_t>(bytes_of<float>(w.x_row), 1);
  const bool fetches = w.dilation_w > 1 && w.multiplier == 1 && w.height > 4 * w.l2_bytes / row_bytes;
  const std::int64_t some = std::max<std::int64_t>((w.l2_bytes / 2 / row_bytes - w.kh + 1) / 4 * 4, 4), band = fetches ? some : w.y_end + 1;
  // Only sub-grids with rows in the area: of a small area most are empty.
  for (std::int64_t first = w.y_begin; first < std::min(w.y_begin + w.dilation_h, w.y_end); ++first) {
    const std::int64_t ph = first % w.dilation_h;
    const SubGrid rows(ph, w.dilation_h, w.pad_top, w.height);
    const std::int64_t y_begin = first / w.dilation_h, y_end = ceil_div(w.y_end - ph, w.dilation_h);
    std::int64_t fetched = 0;
    for (std::int64_t b = y_begin, e = 0; b < y_end; b = e) {
      e = std::min(b + band, y_end);
      if (fetches) {
        const std::int64_t needed = std::min(e + w.kh - 1 - rows.pad, rows.size);
        for (fetched = std::max(fetched, b - rows.pad); fetched < needed; ++fetched) {
          const float* const row = w.x + (rows.first + fetched * w.dilation_h) * w.x_row;
          fetch_pixels(row, w.width, w.x_pixel, w.channels);
        }
      }
      const std::int64_t down = first - w.y_begin + (b - y_begin) * w.dilation_h;
      for (std::int64_t pw = 0; pw < std::min(w.dilation_w, w.out_width); ++pw) {
        const SubGrid columns(pw, w.dilation_w, w.pad_left, w.width);
        DepthwiseWork part = w;
        part.x = w.x + (rows.size > 0 ? rows.first * w.x_row : 0) + (columns.size > 0 ? columns.first * w.x_pixel : 0);
        part.x_row = w.x_row * w.dilation_h;
        part.x_pixel = w.x_pixel * w.dilation_w;
        part.height = part.ring = rows.size;
        part.width = columns.size;
        part.dilation_h = part.dilation_w = 1;
        part.pad_top = rows.pad;
        part.pad_left = columns.pad;
        part.y_begin = b;
        part.y_end = e;
        part.out_width = ceil_div(w.out_width - pw, w.dilation_w);
        part.y = w.y + down * w.y_row + pw * w.y_pixel;
        part.y_row = w.y_row * w.dilation_h;
        part.y_pixel = w.y_pixel * w.dilation_w;
        if (w.residual != nullptr) part.residual = w.residual + down * w.residual_row + pw * w.residual_pixel;
        part.residual_row = w.residual_row * w.dilation_h;
        part.residual_pixel = w.residual_pixel * w.dilation_w;
        sub_grid_kernel_->run(&part);
      }
    }
  }
}

DepthwiseWork DepthwiseStage::work(const Geometry& g, const Source& x, const Target& y) const {
  DepthwiseWork w{};
  w.x = x.data;
  w.x_row = x.row;
  w.x_pixel = x.pixel;
  w.x_vector = x.vector;
  w.height = x.height;
  w.width = x.width;
  w.ring = x.ring;
  set_filter(w, g);
  w.weights = packed_.weights.get();
  w.bias = packed_.bias.get();
  w.y = y.data;
  w.y_row = y.row;
  w.y_pixel = y.pixel;
  w.y_end = g.out_h;
  w.v_end = packed_.vectors;
  w.channels = packed_.outputs();
  w.multiplier = packed_.multiplier;
  w.l1_bytes = cache_sizes().l1d;
  w.l2_bytes = cache_sizes().l2;
  const bool clips = activation_.kind == ActivationKind::clip;
  w.lo = clips ? activation_.lo : -kInfinity;
  w.hi = clips ? activation_.hi : kInfinity;
  w.finish = !clips;
  w.activation = activation_;
  return w;
}

double DepthwiseStage::flops(const Geometry& g, std::int64_t images) const {
  return 2.0 * magnitude(images, g.out_h, g.out_w, packed_.outputs(), g.kh, g.kw);
}

double DepthwiseStage::weight_bytes() const {
  return static_cast<double>(bytes_of<float>(packed_.outputs() * (packed_.kh * packed_.kw + 1)));
}

Range input_rows(const Geometry& g, std::int64_t height, Range out) {
  const std::int64_t first = out.begin * g.stride_h - g.pad_top;
  const std::int64_t last = (out.end - 1) * g.stride_h - g.pad_top + (g.kh - 1) * g.dilation_h;
  return {std::clamp<std::int64_t>(first, 0, height), std::clamp<std::int64_t>(last + 1, 0, height)};
}

void set_area(DepthwiseWork& w, const Area& area, float* y) {
  w.y_begin = area.rows.begin;
  w.y_end = area.rows.end;
  w.pad_left -= area.columns.begin * w.stride_w;
  w.out_width = area.columns.end - area.columns.begin;
  w.v_begin = area.vectors.begin;
  w.v_end = area.vectors.end;
  w.y = y;
}

void set_residual(DepthwiseWork& w, const float* residual, std::int64_t row, std::int64_t pixel) {
  w.residual = residual;
  w.residual_row = row;
  w.residual_pixel = pixel;
  w.lo = -kInfinity;
  w.hi = kInfinity;
  w.finish = true;
}

}  // namespace dwsep::runtime
