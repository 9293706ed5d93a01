// The second pass of a stage whose activation is no clip: real numbers of some rows, then the activation and its rounding.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "runtime/layers/geometry.hpp"
#include "runtime/layers/int8_stage.hpp"
#include "runtime/memory/shared_content.hpp"

namespace dwsep::runtime {
namespace {

/// Real numbers that a second pass finds in a cache.
constexpr std::int64_t kFinishFloats = 16 * 1024;
/// Columns of pixels that are finished together: where all have one scale, and at most where they have several.
constexpr std::int64_t kUniformPeriod = 256, kLongestPeriod = 2048;

}  // namespace

void Int8Stage::set_finish(const Affine& y, std::int64_t first) {
  // Dense pixels are finished as whole vectors of bytes: 16 channels would fill a quarter of one.
  finish_period_ = y.per_channel() ? std::lcm(columns_, kLineBytes) : kUniformPeriod;
  if (finish_period_ > std::max(columns_, kLongestPeriod)) finish_period_ = columns_;
  const std::int64_t size = std::max(columns_, finish_period_) + kLineBytes;  // the pass reads whole vectors of bytes
  finish_scales_ = shared_array<float>(size);
  finish_zeros_ = shared_array<std::int32_t>(size);
  for (std::int64_t i = 0; i < size; ++i) {
    finish_scales_.get()[i] = y.scale(first + i % columns_);
    finish_zeros_.get()[i] = y.zero(first + i % columns_);
  }
}

Int8Stage::FinishBlock Int8Stage::finish_block(std::int64_t row_pixels) const {
  const std::int64_t least = row_pixels == 1 ? 16 : 2;  // rows of a matrix product's tiles, of depthwise pairs
  const std::int64_t panel = std::max<std::int64_t>(product({least, row_pixels, panel_columns_}), 1);
  const std::int64_t panels = row_pixels == 1 ? panels_ : std::clamp<std::int64_t>(kFinishFloats / panel, 1, panels_);
  const std::int64_t columns = std::min(panels * panel_columns_, columns_);
  const std::int64_t rows = kFinishFloats / std::max<std::int64_t>(product({row_pixels, columns}), 1) / least * least;
  return {panels, columns, std::max(rows, least)};
}

std::int64_t Int8Stage::finish_floats(std::int64_t row_pixels) const {
  if (!second_pass_ || float_output_) return 0;
  const FinishBlock b = finish_block(row_pixels);
  return product({b.rows, row_pixels, b.columns});
}

void Int8Stage::finish(const Int8FinishWork& work, std::int64_t first) const {
  Int8FinishWork w = work;
  w.v += first;
  w.y = static_cast<std::byte*>(w.y) + first * y_size();
  w.activation = activation_;
  w.y_flip = y_flip_;
  if (float_output_) return finish_->run(&w);
  w.scales = finish_scales_.get() + first;
  w.zeros = finish_zeros_.get() + first;
  if (w.columns == columns_ && w.y_row == columns_) {  // dense; so is v
    const std::int64_t all = w.rows * w.columns, rest = all % finish_period_;
    w.v_row = w.y_row = w.columns = finish_period_;
    w.rows = all / finish_period_;
    finish_->run(&w);
    if (rest == 0) return;
    w.v += all - rest;
    w.y = static_cast<std::byte*>(w.y) + (all - rest);
    w.columns = rest;
    w.rows = 1;
  }
  finish_->run(&w);
}

void Int8Stage::run_finished(Int8GemmWork w, float* scratch) const {
  const std::int64_t first = w.panel_begin * panel_columns_, columns = std::min(w.panel_end * panel_columns_, columns_) - first;
  const std::int64_t all = w.rows;
  auto* y = static_cast<std::byte*>(w.y);
  const std::int64_t rows = finish_block(1).rows;
  for (std::int64_t row = 0; row < all; row += rows) {
    w.rows = std::min(rows, all - row);
    std::byte* const out = y + row * w.y_row * y_size();
    Int8GemmWork part = w;
    part.a += row * w.a_row;
    if (w.residual.data != nullptr) part.residual.data += row * w.residual.row;
    part.y = float_output_ ? static_cast<void*>(out) : scratch;
    if (!float_output_) part.y_row = columns_;
    kernel_->run(&part);
    finish({static_cast<const float*>(part.y), part.y_row, w.rows, columns, {}, nullptr, nullptr, 0, out, w.y_row}, first);
  }
}

void Int8Stage::run_finished(Int8DepthwiseWork w, float* scratch) const {
  const FinishBlock block = finish_block(w.out_width);
  const std::int64_t end = w.panel_end;
  for (; w.panel_begin < end; w.panel_begin += block.panels) {
    w.panel_end = std::min(w.panel_begin + block.panels, end);
    run_block(w, block, scratch);
  }
}

void Int8Stage::run_block(const Int8DepthwiseWork& w, const FinishBlock& block, float* scratch) const {
  const std::int64_t first = w.panel_begin * panel_columns_, columns = std::min(w.panel_end * panel_columns_, columns_) - first;
  auto* y = static_cast<std::byte*>(w.y);
  const std::int8_t* const residual = w.residual.data;
  for (std::int64_t row = w.y_begin; row < w.y_end; row += block.rows) {
    const std::int64_t done = row - w.y_begin, count = std::min(block.rows, w.y_end - row);
    std::byte* const out = y + done * w.y_row * y_size();
    Int8DepthwiseWork part = w;
    part.y_begin = row;
    part.y_end = row + count;
    if (residual != nullptr) part.residual.data = residual + done * w.residual.row;
    part.y = out;
    if (!float_output_) {
      part.y = reinterpret_cast<float*>(reinterpret_cast<std::uintptr_t>(scratch) - static_cast<std::uintptr_t>(first) * sizeof(float));
      part.y_pixel = block.columns;
      part.y_row = w.out_width * block.columns;
    }
    kernel_->run(&part);
    const bool dense = w.y_row == w.out_width * w.y_pixel;
    const auto* const v = static_cast<const float*>(part.y);
    for (std::int64_t r = 0; r < (dense ? 1 : count); ++r) {
      const std::int64_t pixels = (dense ? count : 1) * w.out_width;
      finish({v + r * part.y_row, part.y_pixel, pixels, columns, {}, nullptr, nullptr, 0, out + r * w.y_row * y_size(), w.y_pixel}, first);
    }
  }
}

}  // namespace dwsep::runtime
