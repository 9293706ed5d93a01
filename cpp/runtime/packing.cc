#include "runtime/packing.hpp"

#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/geometry.hpp"

namespace dwsep::runtime {

PackedDepthwise pack(const DepthwiseFilter& f, int lanes) {
  PackedDepthwise p{f.kh, f.kw, f.channels, f.multiplier, ceil_div(f.channels * f.multiplier, lanes), {}, {}};
  const std::int64_t taps = f.kh * f.kw, outputs = p.outputs();
  p.weights = aligned_floats(p.vectors * taps * lanes);
  p.bias = aligned_floats(p.vectors * lanes);
  for (std::int64_t v = 0; v < p.vectors; ++v) {
    float* w = p.weights.get() + v * taps * lanes;
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const std::int64_t channel = v * lanes + lane;
      const bool exists = channel < outputs;
      p.bias[static_cast<std::size_t>(channel)] = exists && f.bias != nullptr ? f.bias[channel] : 0.0F;
      for (std::int64_t r = 0; r < f.kh; ++r) {
        for (std::int64_t c = 0; c < f.kw; ++c) {
          w[(c * f.kh + r) * lanes + lane] = exists ? f.weights[(r * f.kw + c) * outputs + channel] : 0.0F;
        }
      }
    }
  }
  return p;
}

namespace {

/// One row of a panel: `whole` columns, then `half` floats of further columns, repeated once when that is a whole vector; zeros where
/// fewer exist. Returns the end of what it wrote.
float* pack_row(const float* row, std::int64_t columns, std::int64_t whole, std::int64_t half, int lanes, float* out) {
  const auto part = [&](std::int64_t first, std::int64_t width) {
    const std::int64_t exist = std::clamp<std::int64_t>(columns - first, 0, width);
    out = std::fill_n(std::copy_n(row + first, exist, out), width - exist, 0.0F);
  };
  part(0, whole);
  if (half > 0) part(whole, lanes / 2);
  if (half == lanes) part(whole, lanes / 2);
  return out;
}

}  // namespace

PackedMatrix pack_matrix(const float* matrix, std::int64_t row_stride, const float* bias, std::int64_t k, std::int64_t columns,
                         const KernelTable& kernels) {
  const int lanes = kernels.lanes;
  PackedMatrix p{};
  p.k = k;
  p.whole = {0, 0, k};
  p.columns = columns;
  p.lanes = lanes;
  const std::int64_t rest = columns % lanes;
  const bool has_half = kernels.half_panels && rest > 0 && rest <= lanes / 2;
  p.last_panel_half = has_half ? half_panel() : HalfPanel::none;
  const std::int64_t vectors = has_half ? columns / lanes : ceil_div(columns, lanes);
  // Two vectors a panel. An odd one makes the last panel three wide rather than one, which would reload its inputs too often; beside half
  // a vector there is no room for three.
  p.panel_vectors = static_cast<int>(std::clamp<std::int64_t>(vectors, 1, 2));
  p.panels = std::max<std::int64_t>(has_half ? ceil_div(vectors, 2) : vectors / 2, 1);
  p.last_panel_vectors = static_cast<int>(vectors - (p.panels - 1) * p.panel_vectors);

  const std::int64_t half_floats = p.last_panel_half == HalfPanel::paired ? lanes : p.last_panel_half == HalfPanel::narrow ? lanes / 2 : 0;
  const std::int64_t stored = vectors * lanes + half_floats;
  p.weights = aligned_floats(stored * k);
  p.bias = aligned_floats(stored);
  float* out = p.weights.get();
  float* bias_out = p.bias.get();
  for (std::int64_t panel = 0; panel < p.panels; ++panel) {
    const bool last = panel + 1 == p.panels;
    const std::int64_t first = panel * p.panel_vectors * lanes, whole = (last ? p.last_panel_vectors : p.panel_vectors) * lanes;
    const std::int64_t half = last ? half_floats : 0;
    for (std::int64_t row = 0; row < k; ++row, out += whole + half) {
      pack_row(matrix + row * row_stride + first, columns - first, whole, half, lanes, out);
    }
    bias_out =
        bias == nullptr ? std::fill_n(bias_out, whole + half, 0.0F) : pack_row(bias + first, columns - first, whole, half, lanes, bias_out);
  }
  return p;
}

GemmWork PackedMatrix::work() const {
  GemmWork w{};
  w.segments = &whole;
  w.segment_count = 1;
  w.b = weights.get();
  w.k = k;
  w.bias = bias.get();
  w.y_vector = lanes;
  w.columns = columns;
  w.panel_vectors = panel_vectors;
  w.last_panel_vectors = last_panel_vectors;
  w.last_panel_half = last_panel_half;
  w.panels = panels;
  w.panel_end = panels;
  return w;
}

}  // namespace dwsep::runtime
