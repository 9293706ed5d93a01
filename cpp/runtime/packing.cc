#include "runtime/packing.hpp"

#include <algorithm>

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

PackedMatrix pack_matrix(const float* matrix, std::int64_t row_stride, const float* bias, std::int64_t k, std::int64_t columns,
                         const KernelTable& kernels) {
  const int lanes = kernels.lanes;
  const std::int64_t vectors = ceil_div(columns, lanes);
  PackedMatrix p{k, columns, 0, 0, 0, lanes, {}, {}};
  // Two vectors a panel; an odd one makes the last panel three wide rather than one, which would reload its inputs too often.
  p.panel_vectors = static_cast<int>(std::min<std::int64_t>(vectors, 2));
  p.panels = std::max<std::int64_t>(vectors / 2, 1);
  p.last_panel_vectors = static_cast<int>(vectors - (p.panels - 1) * p.panel_vectors);

  p.weights = aligned_floats(vectors * lanes * k);
  p.bias = aligned_floats(vectors * lanes);
  std::fill_n(p.bias.get(), vectors * lanes, 0.0F);
  if (bias != nullptr) std::copy_n(bias, columns, p.bias.get());
  float* out = p.weights.get();
  for (std::int64_t panel = 0; panel < p.panels; ++panel) {
    const std::int64_t first = panel * p.panel_vectors * lanes;
    const std::int64_t width = (panel + 1 == p.panels ? p.last_panel_vectors : p.panel_vectors) * lanes;
    const std::int64_t exist = std::min(width, columns - first);
    for (std::int64_t row = 0; row < k; ++row, out += width) {
      std::copy_n(matrix + row * row_stride + first, exist, out);
      std::fill(out + exist, out + width, 0.0F);
    }
  }
  return p;
}

GemmWork PackedMatrix::work() const {
  static constexpr Segment kWhole{0, 0};
  GemmWork w{};
  w.segments = &kWhole;
  w.segment_count = 1;
  w.segment_length = k;
  w.b = weights.get();
  w.k = k;
  w.bias = bias.get();
  w.y_vector = lanes;
  w.columns = columns;
  w.panel_vectors = panel_vectors;
  w.last_panel_vectors = last_panel_vectors;
  w.panels = panels;
  w.panel_end = panels;
  return w;
}

}  // namespace dwsep::runtime
