// What all transposed convolutions have in common: shapes, reports, and outputs that no tap meets.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/layers/conv_transpose.hpp"

namespace dwsep::runtime {

/// The part of a call that one part of the filter computes: positions are q of rows and columns.
struct Positions {
  PhaseRange rows, columns;
  std::int64_t pad_top, pad_left;  ///< of position 0; may be negative

  Positions(const TransposedGeometry& g, const TransposedPart& p, const Shape& y)
      : rows(phase_range(g.h, p.rows, y.h)), columns(phase_range(g.w, p.columns, y.w)) {
    pad_top = p.rows.shift - rows.begin;
    pad_left = p.columns.shift - columns.begin;
  }
  Geometry geometry(const TransposedPart& p) const {
    return {p.rows.taps,
            p.columns.taps,
            1,
            1,
            p.rows.input_step,
            p.columns.input_step,
            pad_top,
            pad_left,
            rows.end - rows.begin,
            columns.end - columns.begin};
  }
  bool empty() const { return rows.begin >= rows.end || columns.begin >= columns.end; }
};

/// Whether a pixel of an axis meets a tap.
inline bool meets_taps(const TransposedAxis& axis, const std::vector<PhaseGroup>& groups, std::int64_t pixel) {
  const std::int64_t phase = (pixel + axis.pad_before) % axis.stride;
  return std::any_of(groups.begin(), groups.end(), [&](const PhaseGroup& g) { return phase >= g.first && phase < g.first + g.phases(); });
}

/// What both ways have in common.
class ConvTranspose : public PackedLayer {
 public:
  ConvTranspose(const TransposedGeometry& g, const Activation& activation)
      : g_(g), activation_(activation), parts_(transposed_parts(g)), rows_(phase_groups(g.h, false)), columns_(phase_groups(g.w, false)) {
    check_activation(activation);
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", g_.in, x.c);
    // The largest product may not fit 64 bits.
    constexpr std::int64_t kLargest = std::int64_t{1} << 40;
    const auto size = [&](const char* name, const TransposedAxis& a, std::int64_t input) {
      if (input > 1 && a.stride > kLargest / input) {
        reject("stride", std::string("an output of less than 2^40 ") + name, std::to_string(a.stride));
      }
      const std::int64_t output = input < 1 ? 0 : a.output(input);
      if (output < 1) reject("x", std::string("enough ") + name + " for an output of 1 or more", std::to_string(input));
      return output;
    };
    return {x.n, size("rows", g_.h, x.h), size("columns", g_.w, x.w), g_.out};
  }

  int useful_threads(const Shape& x, int threads) const override { return worthwhile_threads(threads, flops(x), bytes(x)); }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* /*residual*/, Scratch scratch) const noexcept override {
    run_planes(team, x, y, {1, 1}, scratch);
  }
  void run_planes(Team& team, const ConstTensor& x, const Tensor& y, ChannelSteps steps, Scratch scratch) const noexcept override {
    fill_untouched(team, y);
    run_parts(team, x, y, steps, scratch);
  }

  Plan plan(const Shape& x, int threads) const override {
    const int team = useful_threads(x, threads);
    return {"transposed, by phases of the stride", kernel_name(), "rows, or output channels", team, flops(x), bytes(x)};
  }

 protected:
  virtual std::string kernel_name() const = 0;
  virtual void run_parts(Team& team, const ConstTensor& x, const Tensor& y, ChannelSteps steps, Scratch scratch) const noexcept = 0;

  double flops(const Shape& x) const { return 2.0 * magnitude(x.n, x.h, x.w, g_.h.taps, g_.w.taps, g_.in, g_.out / g_.groups); }
  double bytes(const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes(output_shape(x)) + 4.0 * magnitude(g_.h.taps, g_.w.taps, g_.in, g_.out / g_.groups);
  }

  /// Outputs that no tap meets are activation(bias).
  void set_untouched(std::vector<float> bias) {
    active_kernels().tensor.map({bias.data(), bias.data(), g_.out, g_.out, 1, g_.out, activation_});
    untouched_ = std::move(bias);
  }
  const float* untouched() const { return untouched_.data(); }

  const TransposedGeometry g_;
  const Activation activation_;
  const std::vector<TransposedPart> parts_;

  /// Whether each output meets a tap.
  bool all_meet_taps() const { return all_meet_taps(g_.w, columns_) && all_meet_taps(g_.h, rows_); }

 private:
  static bool all_meet_taps(const TransposedAxis& axis, const std::vector<PhaseGroup>& groups) {
    std::int64_t phases = 0;
    for (const PhaseGroup& g : groups) phases += g.phases();
    return phases == axis.stride;
  }

  void fill_untouched(const Team& team, const Tensor& y) const noexcept {
    const bool columns = !all_meet_taps(g_.w, columns_);
    if (!columns && all_meet_taps(g_.h, rows_)) return;
    const Range mine = part_of(y.shape.n * y.shape.h, team.rank(), team.size());
    for (std::int64_t row = mine.begin; row < mine.end; ++row) {
      float* const to = y.as<float>() + row / y.shape.h * y.stride_n + row % y.shape.h * y.stride_h;
      const bool whole = !meets_taps(g_.h, rows_, row % y.shape.h);
      if (!whole && !columns) continue;
      for (std::int64_t pixel = 0; pixel < y.shape.w; ++pixel) {
        if (whole || !meets_taps(g_.w, columns_, pixel)) std::copy_n(untouched_.data(), g_.out, to + pixel * y.stride_w);
      }
    }
  }

  std::vector<PhaseGroup> rows_, columns_;
  std::vector<float> untouched_;
};

std::shared_ptr<const PackedLayer> make_transposed_matrices(const TransposedGeometry& g, std::vector<PackedMatrix> matrices,
                                                            const Activation& activation);
std::shared_ptr<const PackedLayer> make_transposed_depthwise(const TransposedGeometry& g, std::vector<PackedDepthwise> filters,
                                                             const Activation& activation);

}  // namespace dwsep::runtime
