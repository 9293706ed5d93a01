// Product stages, and what all stages check.
#include "runtime/layers/stages.hpp"

#include <algorithm>

#include "dwsep/cpu.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep::runtime {

void check_lanes(int lanes) {
  if (const int wanted = active_kernels().lanes; lanes != wanted) {
    reject("packed weights", "vectors of " + std::to_string(wanted) + " floats", std::to_string(lanes));
  }
}

Source image_of(const ConstTensor& x, std::int64_t image) {
  return {x.as<float>() + image * x.stride_n, x.stride_h, x.stride_w, active_kernels().lanes, x.shape.h, x.shape.w, x.shape.h};
}

void check_weights(const void* weights, std::initializer_list<std::int64_t> sizes) {
  if (product(sizes) == kTooMany) reject("weights", "fewer than 2^50", "more");
  if (weights == nullptr) reject("weights", "a pointer", "null");
}

PackedMatrix checked_pack(const PointwiseFilter& f) {
  check_types(f);
  if (f.in < 1) reject("input channels", "1 or more", std::to_string(f.in));
  if (f.out < 1) reject("output channels", "1 or more", std::to_string(f.out));
  check_weights(f.weight, {f.in, f.out});
  return pack(f, active_kernels());
}

PointwiseStage::PointwiseStage(PackedMatrix packed, const Activation& activation) : packed_(std::move(packed)), activation_(activation) {
  check_activation(activation);
  check_lanes(packed_.lanes);
}

GemmWork PointwiseStage::work(const float* a, std::int64_t a_row, float* y, std::int64_t y_row, std::int64_t rows) const {
  GemmWork w = packed_.work();
  w.a = a;
  w.a_row = a_row;
  w.y = y;
  w.y_row = y_row;
  w.rows = rows;
  w.block_rows = gemm_block_rows(packed_.k);
  w.activation = activation_;
  return w;
}

void PointwiseStage::run(GemmWork w, bool fetch_input) const {
  const float* const slopes = packed_.slopes.get();
  if (w.residual == nullptr && !fetch_input && slopes == nullptr) return active_kernels().gemm(w);
  const Range part = columns_of(w, packed_.lanes);
  const std::int64_t first = part.begin, columns = part.end - part.begin;
  if (columns < 1) return;  // of few panels a thread may have none
  // The panels are read again for each block: not for fewer rows than the product walks at a time.
  if (slopes != nullptr) w.block_rows = std::clamp<std::int64_t>(slope_rows(columns) / 56 * 56, 56, w.block_rows);
  for (std::int64_t rows = w.rows; rows > 0; rows -= w.rows) {
    w.rows = rows <= w.block_rows + w.block_rows / 4 ? rows : w.block_rows;  // as the product does
    if (fetch_input) fetch_pixels(w.a, w.rows, w.a_row, w.k);
    // A tile meets its residual line by line at its end and waits for each: 56x56 128->128 took 1120 us with one from the level-3 cache,
    // 900 without, and 950 so.
    if (w.residual != nullptr) fetch_pixels(w.residual + first, w.rows, w.residual_row, columns);
    active_kernels().gemm(w);
    if (slopes != nullptr) apply_slopes(slopes + first, w.y + first, w.y_row, w.rows, columns);
    w.a += w.rows * w.a_row;
    w.y += w.rows * w.y_row;
    if (w.residual != nullptr) w.residual += w.rows * w.residual_row;
  }
}

bool PointwiseStage::fetches_far(const GemmWork& w) const {
  return packed_.lanes == 8 && w.k >= 16 && w.columns >= 16 && w.a_row <= 2 * w.k && w.residual == nullptr && packed_.slopes == nullptr;
}

std::string PointwiseStage::kernel_name() const { return gemm_name(packed_.panel_vectors); }

double PointwiseStage::flops(double pixels) const { return 2.0 * pixels * magnitude(packed_.k, packed_.columns); }

double PointwiseStage::weight_bytes() const { return static_cast<double>(bytes_of<float>((packed_.k + 1) * packed_.columns)); }

Range columns_of(const GemmWork& w, int lanes) {
  const std::int64_t panel = std::int64_t{w.panel_vectors} * lanes;
  return {w.panel_begin * panel, w.panel_end == w.panels ? w.columns : w.panel_end * panel};
}

void apply_slopes(const float* slopes, float* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  const auto run = [&](float* first, std::int64_t count, std::int64_t width, std::int64_t distance) {
    if (count == 0) return;
    active_kernels().tensor.binary(
        {BinaryFunction::prelu, first, slopes, first, distance, 0, distance, false, false, count, width, Activation::none()});
  };
  const std::int64_t repeats = y_row == columns ? slope_repeats(columns) : 1, joined = rows / repeats;
  run(y, joined, columns * repeats, y_row * repeats);
  run(y + joined * repeats * y_row, rows % repeats, columns, y_row);
}

std::int64_t slope_rows(std::int64_t columns) {
  constexpr std::int64_t kBytes = 32 * 1024;
  return std::max<std::int64_t>(kBytes / bytes_of<float>(columns), 1);
}

PanelSizes columns_of(const PackedMatrix& b) { return {b.panels, std::int64_t{b.lanes} * b.panel_vectors, b.columns}; }

bool split_by_panels(const PanelSizes& c, std::int64_t pixels, std::int64_t rows, int threads) {
  // The share of their time that all threads work, if equal parts take equally long. The last thread has the last panel, of another width,
  // and one more than others where that does not divide evenly.
  const auto balance = [&](std::int64_t all, std::int64_t most) {
    return static_cast<double>(all) / static_cast<double>(std::max<std::int64_t>(most, 1) * threads);
  };
  const std::int64_t before = c.panels * (threads - 1) / threads * c.width, others = (c.panels + threads - 2) / threads * c.width;
  const double by_panels = balance(c.columns, std::max(c.columns - before, others)), by_rows = balance(rows, ceil_div(rows, threads));
  // A tenth either way keeps rounding from deciding: it is given away for reading only a part of the weights, and asked for where every
  // thread then reads all pixels.
  return 2 * pixels < c.columns ? by_panels >= 0.9 * by_rows : by_panels > 1.1 * by_rows;
}

std::int64_t gemm_block_rows(std::int64_t k) {
  constexpr std::int64_t kBlockBytes = 128 * 1024, kRows = 56;
  // Twice as many where that fits half of the level-2 cache, or 768 KB: all weights are read for each block. 10x10 1536->2048 gains 2 to
  // 5 % with 2 MB of it; with 512 KB (Zen 3) it and 19x19 728->728 gain 0 to 5 %, most where others use the level-3 cache.
  const std::int64_t l2 = cache_sizes().l2;
  const std::int64_t many = std::max(l2 / 2, std::min<std::int64_t>(768 * 1024, l2 / 2 * 3));
  const std::int64_t least = 2 * kRows * bytes_of<float>(k) <= many ? 2 * kRows : kRows;
  return std::max(kBlockBytes / bytes_of<float>(k) / kRows * kRows, least);
}

}  // namespace dwsep::runtime
