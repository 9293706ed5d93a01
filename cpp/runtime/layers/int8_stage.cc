#include "runtime/layers/int8_stage.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/layers/geometry.hpp"
#include "runtime/layers/int8_scales.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/memory/shared_content.hpp"
#include "runtime/threads/float_environment.hpp"

namespace dwsep::runtime {
namespace {

/// A table is looked up in results that the level-2 cache still has, where 64 bytes take 1.9 ns with VBMI and 6 without. Rows of a
/// matrix product are whole register tiles, those of a depthwise convolution whole pairs.
constexpr std::int64_t kTabledBytes = 64 * 1024, kTabledRows = 96;

const KernelEntry& kernel_of(const Int8Filter& f, const Int8Scales& s, bool real) {
  const Problem problem{f.kh,
                        f.kw,
                        f.stride_h,
                        f.stride_w,
                        f.dilation_h,
                        f.dilation_w,
                        f.multiplier,
                        0,
                        s.weight_zeros.empty() ? 1 : 2,
                        !real && s.ranges.size() > 1 ? 2 : 1};
  return kernel_for(f.family, problem, real ? kInt8ToFloat : kInt8);
}

}  // namespace

Int8Stage::Int8Stage(const Int8Filter& f, const Int8Tensors& t, const Activation& a)
    : k_(f.k), columns_(f.columns), multiplier_(f.multiplier), float_output_(!t.y), activation_(a) {
  const FloatEnvironment defaults;
  check_activation(a);
  second_pass_ = a.kind != ActivationKind::clip;
  const bool real = float_output_ || second_pass_;
  const Int8Scales s = int8_scales(f, t, a);
  kernel_ = &kernel_of(f, s, real);
  if (second_pass_) finish_ = &kernel_for(Family::int8_finish, {}, float_output_ ? kFloat32 : kFloatToInt8);

  Int8PackWork w{};
  w.weights = s.weights.data();
  w.k = f.k;
  w.columns = w.weights_row = f.columns;
  w.kh = f.kh;
  w.kw = f.kw;
  w.channel_multiplier = f.multiplier;
  w.bias = s.bias.data();
  w.x_zeros = s.x_zeros.data();
  w.weight_zeros = s.weight_zeros.empty() ? nullptr : s.weight_zeros.data();
  w.multipliers = s.multipliers.data();
  w.k_padded = f.k;
  kernel_->pack(&w);
  k_padded_ = w.k_padded;
  initial_ = shared_array<std::int32_t>(w.sums);
  multiplier_values_ = shared_array<float>(w.sums);
  const std::shared_ptr<std::byte> packed = shared_memory(w.bytes);
  w.packed = packed.get();
  w.initial = initial_.get();
  w.multiplier = multiplier_values_.get();
  kernel_->pack(&w);
  packed_ = shared_array_content<std::byte>(packed, w.bytes);
  panels_ = w.panels;
  panel_columns_ = w.panel_columns;
  together_ = f.dilation_h == 1 ? std::max<std::int64_t>(w.together, 1) : 1;
  packed_bytes_ = w.bytes + 8 * w.sums;

  x_flip_ = t.x.flip();
  x_zero_ = shared_array<std::int8_t>(f.k_channels() + kLineBytes);
  std::fill_n(x_zero_.get(), f.k_channels() + kLineBytes, std::int8_t{0});
  for (std::size_t c = 0; c < s.x_zeros.size(); ++c) {
    x_zero_.get()[c] = static_cast<std::int8_t>(static_cast<std::uint8_t>(s.x_zeros[c]) ^ x_flip_);
  }
  residual_ = s.residual;
  q_.multiplier = multiplier_values_.get();
  q_.most = *std::max_element(s.multipliers.begin(), s.multipliers.end());
  q_.real_lo = second_pass_ ? -kInfinity : a.lo;
  q_.real_hi = second_pass_ ? kInfinity : a.hi;
  if (float_output_) return;
  y_flip_ = t.y->flip();
  q_.zero = s.ranges[0].zero;
  q_.lo = s.ranges[0].lo;
  q_.hi = s.ranges[0].hi;
  if (t.table != nullptr) {
    if (second_pass_) reject("activation", "a clip before a table", "another");
    // Bytes as kernels store them, from the least on, to bytes of y: which of them are flipped is the table's to know.
    table_ = shared_array<std::int8_t>(256);
    for (unsigned i = 0; i < 256; ++i) table_.get()[i ^ 0x80U] = static_cast<std::int8_t>(static_cast<std::uint8_t>(t.table[i]) ^ y_flip_);
    y_flip_ = 0;
  }
  if (second_pass_) set_finish(*t.y, f.first);
  if (second_pass_ || s.ranges.size() == 1) return;
  ranges_ = shared_array<std::int32_t>(3 * w.sums);
  std::fill_n(ranges_.get(), 3 * w.sums, 0);
  for (std::size_t c = 0; c < s.ranges.size(); ++c) {
    ranges_.get()[c] = s.ranges[c].zero;
    ranges_.get()[static_cast<std::size_t>(w.sums) + c] = s.ranges[c].lo;
    ranges_.get()[static_cast<std::size_t>(2 * w.sums) + c] = s.ranges[c].hi;
  }
  q_.zeros = ranges_.get();
  q_.los = q_.zeros + w.sums;
  q_.his = q_.los + w.sums;
}

Int8GemmWork Int8Stage::gemm() const {
  Int8GemmWork w{};
  w.a_flip = x_flip_;
  w.y_flip = y_flip_;
  w.k = k_;
  w.b = packed_.get();
  w.initial = initial_.get();
  w.q = q_;
  w.residual = residual_;
  w.block_rows = int8_block_rows(k_);
  w.columns = columns_;
  w.panel_end = panels_;
  return w;
}

Int8Source image_of_int8(const ConstTensor& x, std::int64_t image) {
  return {x.as<std::int8_t>() + image * x.stride_n, x.stride_h, x.stride_w, x.shape.h, x.shape.w};
}

Int8DepthwiseWork Int8Stage::depthwise(const Geometry& g, const Int8Source& x) const {
  Int8DepthwiseWork w{};
  set_filter(w, g);
  w.x = x.data;
  w.x_row = x.row;
  w.x_pixel = x.pixel;
  w.height = x.height;
  w.width = x.width;
  w.x_flip = x_flip_;
  w.y_flip = y_flip_;
  w.x_zero = x_zero_.get();
  w.weights = packed_.get();
  w.initial = initial_.get();
  w.q = q_;
  w.residual = residual_;
  w.channels = columns_;
  w.multiplier = multiplier_;
  w.panel_end = panels_;
  return w;
}

void Int8Stage::look_up(std::int8_t* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) const {
  if (y_row == columns) columns *= std::exchange(rows, 1);  // whole vectors
  active_kernels().int8.table({y, y, y_row, y_row, rows, columns, table_.get()});
}

void Int8Stage::run_tabled(Int8GemmWork w) const {
  const std::int64_t first = w.panel_begin * panel_columns_, columns = std::min(w.panel_end * panel_columns_, columns_) - first;
  if (columns < 1) return;  // of few panels a thread may have none
  const std::int64_t all = w.rows, rows = std::max<std::int64_t>(kTabledBytes / columns / kTabledRows, 1) * kTabledRows;
  for (std::int64_t row = 0; row < all; row += rows) {
    w.rows = std::min(rows, all - row);
    kernel_->run(&w);
    auto* const y = static_cast<std::int8_t*>(w.y);
    look_up(y + first, w.y_row, w.rows, columns);
    w.a += w.rows * w.a_row;
    if (w.residual.data != nullptr) w.residual.data += w.rows * w.residual.row;
    w.y = y + w.rows * w.y_row;
  }
}

void Int8Stage::run_tabled(Int8DepthwiseWork w) const {
  const std::int64_t first = w.panel_begin * panel_columns_, columns = std::min(w.panel_end * panel_columns_, columns_) - first;
  if (columns < 1) return;
  const bool dense = w.y_pixel == columns && w.y_row == w.out_width * w.y_pixel;
  const std::int64_t end = w.y_end,
                     rows = std::max<std::int64_t>(kTabledBytes / std::max<std::int64_t>(w.out_width * columns, 1) / 2, 1) * 2;
  for (; w.y_begin < end; w.y_begin = w.y_end) {
    w.y_end = std::min(w.y_begin + rows, end);
    kernel_->run(&w);
    auto* const y = static_cast<std::int8_t*>(w.y);
    const std::int64_t count = w.y_end - w.y_begin;
    for (std::int64_t row = 0; row < (dense ? 1 : count); ++row) {
      look_up(y + first + row * w.y_row, w.y_pixel, (dense ? count : 1) * w.out_width, columns);
    }
    if (w.residual.data != nullptr) w.residual.data += count * w.residual.row;
    w.y = y + count * w.y_row;
  }
}

void Int8Stage::run(const Int8GemmWork& w, float* scratch) const {
  if (table_ != nullptr) return run_tabled(w);
  second_pass_ ? run_finished(w, scratch) : kernel_->run(&w);
}

void Int8Stage::run(const Int8DepthwiseWork& w, float* scratch) const {
  if (table_ != nullptr) return run_tabled(w);
  second_pass_ ? run_finished(w, scratch) : kernel_->run(&w);
}

std::int64_t int8_block_rows(std::int64_t k) {
  constexpr std::int64_t kBlockBytes = 64 * 1024, kLeastRows = 48;
  return std::max(kBlockBytes / std::max<std::int64_t>(k, 1) / kLeastRows * kLeastRows, kLeastRows);
}

}  // namespace dwsep::runtime
