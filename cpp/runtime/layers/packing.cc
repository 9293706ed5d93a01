#include "runtime/layers/packing.hpp"

#include <algorithm>

#include "dwsep/cpu.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/layers/geometry.hpp"
#include "runtime/memory/shared_content.hpp"

namespace dwsep::runtime {

PackedDepthwise depthwise_layout(std::int64_t kh, std::int64_t kw, std::int64_t channels, std::int64_t multiplier, int lanes) {
  return {kh, kw, channels, multiplier, ceil_div(channels * multiplier, lanes), lanes, nullptr, nullptr};
}

PackedDepthwise pack(const DepthwiseFilter& f, int lanes) {
  PackedDepthwise p = depthwise_layout(f.kh, f.kw, f.channels, f.multiplier, lanes);
  const std::int64_t taps = f.kh * f.kw, outputs = p.outputs();
  const auto *const from = static_cast<const float*>(f.weight), *const from_bias = static_cast<const float*>(f.bias);
  const std::shared_ptr<float> weights = shared_array<float>(p.weight_floats()), bias = shared_array<float>(p.bias_floats());
  for (std::int64_t v = 0; v < p.vectors; ++v) {
    float* w = weights.get() + v * taps * lanes;
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const std::int64_t channel = v * lanes + lane;
      const bool exists = channel < outputs;
      bias.get()[channel] = exists && from_bias != nullptr ? from_bias[channel] : 0.0F;
      for (std::int64_t r = 0; r < f.kh; ++r) {
        for (std::int64_t c = 0; c < f.kw; ++c) {
          w[(c * f.kh + r) * lanes + lane] = exists ? from[(r * f.kw + c) * outputs + channel] : 0.0F;
        }
      }
    }
  }
  p.bias = shared_array_content<float>(bias, p.bias_floats());
  p.weights = shared_array_content<float>(weights, p.weight_floats());
  return p;
}

Unpacked unpack(const PackedDepthwise& p) {
  const std::int64_t outputs = p.outputs();
  Unpacked u{std::vector<float>(static_cast<std::size_t>(p.kh * p.kw * outputs)), {p.bias.get(), p.bias.get() + outputs}};
  float* out = u.weights.data();
  for (std::int64_t r = 0; r < p.kh; ++r) {
    for (std::int64_t c = 0; c < p.kw; ++c) {
      for (std::int64_t channel = 0; channel < outputs; ++channel) {
        *out++ = p.weights.get()[((channel / p.lanes * p.kw + c) * p.kh + r) * p.lanes + channel % p.lanes];
      }
    }
  }
  return u;
}

namespace {

/// A panel of a packed matrix: columns [first, ...) in whole vectors, then `half` floats of further columns, repeated once when that is a
/// whole vector.
struct PanelColumns {
  std::int64_t first, whole, half;
  std::int64_t width() const { return whole + half; }
};

PanelColumns panel_columns(const PackedMatrix& p, std::int64_t panel) {
  const bool last = panel + 1 == p.panels;
  return {panel * p.panel_vectors * p.lanes, std::int64_t{last ? p.last_panel_vectors : p.panel_vectors} * p.lanes,
          last ? p.half_floats() : 0};
}

/// One row of a panel, of the `columns` of a matrix's row; zeros where fewer exist. Returns the end of what it wrote.
float* pack_row(const float* row, std::int64_t columns, const PanelColumns& panel, float* out) {
  const auto part = [&](std::int64_t first, std::int64_t width) {
    const std::int64_t exist = std::clamp<std::int64_t>(columns - first, 0, width);
    out = std::fill_n(std::copy_n(row + first, exist, out), width - exist, 0.0F);
  };
  part(panel.first, panel.whole);
  part(panel.first + panel.whole, panel.half);
  return out;
}

/// The reverse.
void unpack_row(const float* packed, std::int64_t columns, const PanelColumns& panel, float* row) {
  const std::int64_t stored = panel.whole + panel.half;
  std::copy_n(packed, std::min(columns - panel.first, stored), row + panel.first);
}

}  // namespace

std::int64_t PackedMatrix::half_floats() const { return last_panel_half == HalfPanel::none ? 0 : lanes / 2; }

PackedMatrix matrix_layout(std::int64_t k, std::int64_t columns, int lanes, HalfPanel half) {
  PackedMatrix p{};
  p.k = k;
  p.whole = {0, 0, k};
  p.columns = columns;
  p.lanes = lanes;
  const std::int64_t rest = columns % lanes;
  const bool has_half = half != HalfPanel::none && rest > 0 && rest <= lanes / 2;
  p.last_panel_half = has_half ? half : HalfPanel::none;
  const std::int64_t vectors = has_half ? columns / lanes : ceil_div(columns, lanes);
  // Two vectors a panel. An odd one makes the last panel three wide rather than one, which would reload its inputs too often; next to half
  // a vector there is no room for three.
  p.panel_vectors = static_cast<int>(std::clamp<std::int64_t>(vectors, 1, 2));
  p.panels = std::max<std::int64_t>(has_half ? ceil_div(vectors, 2) : vectors / 2, 1);
  p.last_panel_vectors = static_cast<int>(vectors - (p.panels - 1) * p.panel_vectors);
  return p;
}

PackedMatrix pack_matrix(const float* matrix, std::int64_t row_stride, const float* bias, std::int64_t k, std::int64_t columns,
                         const ActiveKernels& kernels) {
  PackedMatrix p = matrix_layout(k, columns, kernels.lanes, kernels.half_panel);
  const std::shared_ptr<float> weights = shared_array<float>(p.weight_floats()), all_bias = shared_array<float>(p.bias_floats());
  float* out = weights.get();
  float* bias_out = all_bias.get();
  for (std::int64_t i = 0; i < p.panels; ++i) {
    const PanelColumns panel = panel_columns(p, i);
    for (std::int64_t row = 0; row < k; ++row) out = pack_row(matrix + row * row_stride, columns, panel, out);
    bias_out = bias == nullptr ? std::fill_n(bias_out, panel.width(), 0.0F) : pack_row(bias, columns, panel, bias_out);
  }
  p.bias = shared_array_content<float>(all_bias, p.bias_floats());
  p.weights = shared_array_content<float>(weights, p.weight_floats());
  return p;
}

PackedMatrix pack(const PointwiseFilter& f, const ActiveKernels& kernels) {
  return pack_matrix(static_cast<const float*>(f.weight), f.out, static_cast<const float*>(f.bias), f.in, f.out, kernels);
}

Unpacked unpack(const PackedMatrix& p) {
  Unpacked u{std::vector<float>(static_cast<std::size_t>(p.k * p.columns)), std::vector<float>(static_cast<std::size_t>(p.columns))};
  const float* packed = p.weights.get();
  const float* bias = p.bias.get();
  for (std::int64_t i = 0; i < p.panels; ++i) {
    const PanelColumns panel = panel_columns(p, i);
    for (std::int64_t row = 0; row < p.k; ++row, packed += panel.width()) {
      unpack_row(packed, p.columns, panel, u.weights.data() + row * p.columns);
    }
    unpack_row(bias, p.columns, panel, u.bias.data());
    bias += panel.width();
  }
  return u;
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
  w.fetch_again = bytes_of<float>(weight_floats()) > cache_sizes().l2 / 2;
  return w;
}

}  // namespace dwsep::runtime
