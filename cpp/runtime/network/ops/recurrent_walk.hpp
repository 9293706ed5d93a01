// The time loop of recurrent layers: plain ones, GRU and LSTM, in one direction or both.
//
// The sum of a gate is two chains: the products of the inputs, of some steps at a time as one matrix product, and those of the states.
#pragma once

#include <algorithm>
#include <array>

#include "runtime/dispatch.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/network/op.hpp"
#include "runtime/network/ops/recurrent_weights.hpp"
#include "runtime/network/ops/rows.hpp"

namespace dwsep::runtime::recurrent {

inline constexpr std::int64_t kRowsAhead = 128;  ///< of inputs that are multiplied at a time: their gates stay in the level-2 cache
inline constexpr std::int64_t kPiece = kUnits;   ///< units of a loop of fixed length
/// Multiplications of a step from which threads divide its units: below, the barriers cost more.
inline constexpr std::int64_t kLeastShared = std::int64_t{1} << 16;

struct Settings {
  bool reversed;  ///< a single direction
  Activation gate, state, cell;
  bool reset_after;
  float clip;       ///< of what gates are functions of
  float cell_clip;  ///< of the cells of an LSTM
};

/// A thread's part: some images, and some blocks of units, of a direction.
struct Part {
  std::int64_t direction;
  Range images, blocks;
  bool empty() const { return images.begin >= images.end || blocks.begin >= blocks.end; }
};

/// One call.
class Walk {
 public:
  Walk(const RecurrentWeights& w, const Settings& s, const Dims& x, const Operands* o, Scratch& scratch)
      : w_(w),
        s_(s),
        o_(o),
        steps_(x[0]),
        batch_(x[1]),
        ahead_(std::max<std::int64_t>(std::min(kRowsAhead / std::max<std::int64_t>(batch_, 1), steps_), 1)) {
    const std::int64_t states = w.directions * batch_ * w.padded();
    sums_ = scratch.take<float>(states * w.gates() * ahead_);
    cells_ = scratch.take<float>(states);
    other_ = scratch.take<float>(states);
  }

  void run(Team& team) {
    const std::int64_t pairs = w_.directions * batch_, blocks = w_.directions * w_.blocks;
    const bool shared = pairs < team.size() && blocks >= team.size() && pairs * w_.units * w_.units * w_.gates() >= kLeastShared;
    const Range mine = part_of(shared ? blocks : pairs, team.rank(), team.size());
    std::array<Part, 2> parts{};
    for (std::int64_t d = 0; d < w_.directions; ++d) {
      const std::int64_t count = shared ? w_.blocks : batch_;
      const Range some{std::clamp<std::int64_t>(mine.begin - d * count, 0, count),
                       std::clamp<std::int64_t>(mine.end - d * count, 0, count)};
      parts[static_cast<std::size_t>(d)] = shared ? Part{d, {0, batch_}, some} : Part{d, some, {0, w_.blocks}};
    }
    if (shared) {
      walk(parts.data(), parts.data() + parts.size(), [&] { team.barrier(); });
    } else {
      for (const Part& part : parts) walk(&part, &part + 1, [] {});
    }
  }

 private:
  /// All steps of some parts, side by side; `wait` lets other threads finish what is read next.
  template <class Wait>
  void walk(const Part* begin, const Part* end, const Wait& wait) const {
    const auto each = [&](const auto& f) {
      for (const Part* part = begin; part != end; ++part) {
        if (!part->empty()) f(*part);
      }
    };
    each([&](const Part& part) { start(part); });
    for (std::int64_t step = 0; step < steps_; ++step) {
      if (step % ahead_ == 0) each([&](const Part& part) { multiply_inputs(part, step); });
      each([&](const Part& part) { first_gates(part, step); });
      if (w_.cell == Cell::gru && !s_.reset_after) wait();
      each([&](const Part& part) { finish(part, step); });
      wait();
    }
    if (w_.cell == Cell::lstm) each([&](const Part& part) { store_cells(part); });
  }

  std::int64_t time(const Part& p, std::int64_t step) const { return backwards(p) ? steps_ - 1 - step : step; }
  bool backwards(const Part& p) const { return p.direction == 1 || s_.reversed; }

  /// The first of the steps, in time, that are multiplied together with one.
  std::int64_t first_time(const Part& p, std::int64_t step) const {
    const std::int64_t first = step / ahead_ * ahead_, count = std::min(ahead_, steps_ - first);
    return backwards(p) ? steps_ - first - count : first;
  }

  std::int64_t width(const Gates& g) const { return g.count * w_.padded(); }
  /// The sums of a group of gates, of an image at a time.
  float* sums(const Part& p, const Gates& g, std::int64_t at, std::int64_t image) const {
    float* const first = sums_ + (p.direction * w_.gates() + g.first) * ahead_ * batch_ * w_.padded();
    return first + (at * batch_ + image) * width(g);
  }
  float* sums_of(const Part& p, const Gates& g, std::int64_t step, std::int64_t image) const {
    return sums(p, g, time(p, step) - first_time(p, step), image);
  }
  float* cells(const Part& p, std::int64_t image) const { return cells_ + (p.direction * batch_ + image) * w_.padded(); }
  float* other(const Part& p, std::int64_t image) const { return other_ + (p.direction * batch_ + image) * w_.padded(); }

  static float* element(const Array& a, std::int64_t i, std::int64_t j) { return a.as<float>() + i * a.strides[0] + j * a.strides[1]; }
  float* output(const Part& p, std::int64_t at, std::int64_t image) const {
    return element(o_->output, at, p.direction) + image * o_->output.strides[2];
  }
  /// The state before a step, null for zeros; `row`: from one image to the next.
  const float* state(const Part& p, std::int64_t step, std::int64_t image, std::int64_t* row = nullptr) const {
    const bool first = step == 0;
    if (first && o_->input_count < 2) return nullptr;
    if (row != nullptr) *row = first ? o_->inputs[1].strides[1] : o_->output.strides[2];
    return first ? element(o_->inputs[1], p.direction, image) : output(p, time(p, step - 1), image);
  }

  /// A product of the columns of a part.
  GemmWork product(const Part& p, const Gates& g, const PackedMatrix& m) const {
    GemmWork w = m.work();
    const std::int64_t panel = std::int64_t{m.panel_vectors} * m.lanes;
    w.panel_begin = p.blocks.begin * g.count * w_.block / panel;
    w.panel_end = p.blocks.end * g.count * w_.block / panel;
    w.panels += 1;  // no panel is a last one, which may have fewer columns and is computed by itself
    w.block_rows = gemm_block_rows(m.k);
    return w;
  }

  void multiply_inputs(const Part& p, std::int64_t step) const {
    const Array& x = o_->inputs[0];
    const std::int64_t first = first_time(p, step), count = std::min(ahead_, steps_ - step), images = p.images.end - p.images.begin;
    // Rows of all steps and images that are evenly spaced are one product, others one for each step or image. Each
    // reads the weights again: LSTMs of 2 to 16 images take 0.95 to 0.98 of the time as one (Zen 3, 2026-11-30).
    const bool even = images == batch_ && x.strides[0] == batch_ * x.strides[1];
    const bool by_time = even || count < images;
    const std::int64_t products = even ? 1 : by_time ? count : images;
    for (int i = 0; i < w_.groups_each(); ++i) {
      const Gates& g = w_.group(p.direction, i);
      GemmWork w = product(p, g, g.input);
      w.a_row = x.strides[by_time ? 1 : 0];
      w.y_row = width(g) * (by_time ? 1 : batch_);
      w.rows = even ? count * images : by_time ? images : count;
      for (std::int64_t k = 0; k < products; ++k) {
        const std::int64_t at = by_time ? k : 0, image = p.images.begin + (by_time ? 0 : k);
        w.a = element(x, first + at, image);
        w.y = sums(p, g, at, image);
        active_kernels().gemm(w);
      }
    }
  }

  /// Adds the products of the rows a to the sums, and bounds them.
  void add_product(const Part& p, const Gates& g, std::int64_t step, const float* a, std::int64_t a_row) const {
    GemmWork w = product(p, g, g.recurrent);
    w.a = a;
    w.a_row = a_row;
    if (a == nullptr) w.segment_count = 0;
    w.y = sums_of(p, g, step, p.images.begin);
    w.y_row = width(g);
    w.residual = w.y;
    w.residual_row = w.y_row;
    w.rows = p.images.end - p.images.begin;
    w.activation = Activation::clip(-s_.clip, s_.clip);
    active_kernels().gemm(w);
  }

  /// Of `columns` values of each block of a part; the blocks of an image are `block` apart, images adjacent.
  void map(const Part& p, const Activation& f, const float* x, float* y, std::int64_t block, std::int64_t columns) const {
    const std::int64_t blocks = p.blocks.end - p.blocks.begin, images = p.images.end - p.images.begin;
    const bool all = blocks == w_.blocks;
    for (std::int64_t i = 0; i < (all ? 1 : images); ++i) {
      const std::int64_t at = i * w_.blocks * block + p.blocks.begin * block;
      active_kernels().tensor.map({x + at, y + at, block, block, all ? blocks * images : blocks, columns, f});
    }
  }

  /// Calls f(image, first unit, its first column in the sums of each group, units that exist) for pieces of 16.
  template <class F>
  void each_piece(const Part& p, const F& f) const {
    for (std::int64_t image = p.images.begin; image < p.images.end; ++image) {
      for (std::int64_t unit = p.blocks.begin * w_.block; unit < p.blocks.end * w_.block && unit < w_.units; unit += kPiece) {
        const std::int64_t block = unit / w_.block * w_.block, in_block = unit % w_.block;
        f(
            image, unit, [=](const Gates& g) { return block * g.count + in_block; }, std::min(kPiece, w_.units - unit));
      }
    }
  }

  void start(const Part& p) const {
    if (w_.cell != Cell::lstm) return;
    for (std::int64_t image = p.images.begin; image < p.images.end; ++image) {
      const std::int64_t first = p.blocks.begin * w_.block, end = p.blocks.end * w_.block;
      std::fill(cells(p, image) + first, cells(p, image) + end, 0.0F);
      if (o_->input_count < 3) continue;
      const float* const c = element(o_->inputs[2], p.direction, image);
      std::copy(c + first, c + std::min(end, w_.units), cells(p, image) + first);
    }
  }

  void store_cells(const Part& p) const {
    each_piece(p, [&](std::int64_t image, std::int64_t unit, auto, std::int64_t count) {
      std::copy_n(cells(p, image) + unit, count, output(p, steps_, image) + unit);
    });
  }

  void first_gates(const Part& p, std::int64_t step) const {
    const Gates& g = w_.group(p.direction, 0);
    std::int64_t row = 0;
    const float* const h = state(p, step, p.images.begin, &row);
    add_product(p, g, step, h, row);
    float* const sum = sums_of(p, g, step, p.images.begin);
    const std::int64_t gated = w_.cell == Cell::lstm ? 3 : w_.cell == Cell::gru ? 2 : 0;
    if (gated > 0) map(p, s_.gate, sum, sum, g.count * w_.block, gated * w_.block);
    if (w_.cell == Cell::gru && !s_.reset_after && h != nullptr) {
      each_piece(p, [&](std::int64_t image, std::int64_t unit, auto column, std::int64_t count) {
        const float* const reset = sums_of(p, g, step, image) + column(g) + w_.block;
        const float* const before = state(p, step, image) + unit;
        float* const y = other(p, image) + unit;
        for (std::int64_t u = 0; u < count; ++u) y[u] = reset[u] * before[u];
      });
    }
  }

  void finish(const Part& p, std::int64_t step) const {
    const Gates& g = w_.group(p.direction, 0);
    if (w_.cell == Cell::lstm) return finish_lstm(p, g, step);
    if (w_.cell == Cell::gru) return finish_gru(p, g, w_.group(p.direction, 1), step);
    float* const sum = sums_of(p, g, step, p.images.begin);
    map(p, s_.state, sum, sum, w_.block, w_.block);
    each_piece(p, [&](std::int64_t image, std::int64_t unit, auto, std::int64_t count) {
      std::copy_n(sums_of(p, g, step, image) + unit, count, output(p, time(p, step), image) + unit);
    });
  }

  /// Gates are those of input, output and forgetting, and the new state.
  void finish_lstm(const Part& p, const Gates& g, std::int64_t step) const {
    float* const sum = sums_of(p, g, step, p.images.begin);
    map(p, s_.state, sum + 3 * kPiece, sum + 3 * kPiece, 4 * kPiece, kPiece);
    const std::int64_t first = p.blocks.begin * kPiece, end = p.blocks.end * kPiece;
    for (std::int64_t image = p.images.begin; image < p.images.end; ++image) {
      keep_cells(sums_of(p, g, step, image) + 4 * first, cells(p, image) + first, s_.cell_clip, p.blocks.end - p.blocks.begin);
    }
    map(p, s_.cell, cells(p, p.images.begin), other(p, p.images.begin), kPiece, kPiece);
    for (std::int64_t image = p.images.begin; image < p.images.end; ++image) {
      float* const y = output(p, time(p, step), image) + first;
      open_cells(sums_of(p, g, step, image) + 4 * first, other(p, image) + first, y, std::min(end, w_.units) - first);
    }
  }

  /// Gates are those of update and reset; `n` has the new state.
  void finish_gru(const Part& p, const Gates& g, const Gates& n, std::int64_t step) const {
    float* const sum = sums_of(p, n, step, p.images.begin);
    if (s_.reset_after) {
      GemmWork w = product(p, n, n.recurrent);
      w.a = state(p, step, p.images.begin, &w.a_row);
      if (w.a == nullptr) w.segment_count = 0;
      w.y = other(p, p.images.begin);
      w.y_row = w_.padded();
      w.rows = p.images.end - p.images.begin;
      active_kernels().gemm(w);
      each_piece(p, [&](std::int64_t image, std::int64_t unit, auto column, std::int64_t) {
        const float* const reset = sums_of(p, g, step, image) + column(g) + w_.block;
        const float* const from = other(p, image) + unit;
        float* const to = sums_of(p, n, step, image) + unit;
        for (std::int64_t u = 0; u < kPiece; ++u) to[u] = std::clamp(to[u] + reset[u] * from[u], -s_.clip, s_.clip);
      });
    } else {
      add_product(p, n, step, step == 0 && o_->input_count < 2 ? nullptr : other(p, p.images.begin), w_.padded());
    }
    map(p, s_.state, sum, sum, w_.block, w_.block);
    each_piece(p, [&](std::int64_t image, std::int64_t unit, auto column, std::int64_t count) {
      const float* const update = sums_of(p, g, step, image) + column(g);
      const float* const fresh = sums_of(p, n, step, image) + unit;
      const float* const before = state(p, step, image);
      float* const y = output(p, time(p, step), image) + unit;
      for (std::int64_t u = 0; u < count; ++u) {
        y[u] = (1.0F - update[u]) * fresh[u] + (before == nullptr ? 0.0F : update[u] * before[unit + u]);
      }
    });
  }

  const RecurrentWeights& w_;
  const Settings& s_;
  const Operands* o_;
  std::int64_t steps_, batch_;
  std::int64_t ahead_;  ///< steps whose inputs are multiplied at a time
  float *sums_, *cells_, *other_;
};

}  // namespace dwsep::runtime::recurrent
