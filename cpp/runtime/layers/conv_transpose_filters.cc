// The parts of a transposed convolution and their filters.
#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/layers/conv_transpose.hpp"

namespace dwsep::runtime {
namespace {

void check_axis(const TransposedAxis& a) {
  const auto range = [](const char* what, std::int64_t value, std::int64_t least) {
    if (value < least || value > kMaxPixels) {
      reject(what, "a value between " + std::to_string(least) + " and 2^31", std::to_string(value));
    }
  };
  range("filter size", a.taps, 1);
  range("stride", a.stride, 1);
  range("dilation", a.dilation, 1);
  range("padding", a.pad_before, 0);
  range("padding", a.pad_after, 0);
  range("output_padding", a.output_padding, 0);
}

/// Phases of rows and of columns, in every combination; for matrices: one position's outputs are columns.
std::vector<TransposedPart> combined(const TransposedGeometry& g, bool exact) {
  std::vector<TransposedPart> parts;
  const std::vector<PhaseGroup> columns = phase_groups(g.w, exact);
  for (const PhaseGroup& row : phase_groups(g.h, exact)) {
    for (const PhaseGroup& column : columns) parts.push_back({row, column});
  }
  return parts;
}

/// Vectors that the matrices have, weighted by the length of their sums.
double vector_taps(const TransposedGeometry& g, const std::vector<TransposedPart>& parts) {
  // Fixed, so that files mean the same to every instruction set.
  constexpr std::int64_t kFloats = 8;
  double sum = 0;
  for (const TransposedPart& p : parts) {
    const std::int64_t columns = product({p.rows.phases(), p.columns.phases(), g.out / g.groups});
    sum += magnitude(p.rows.taps, p.columns.taps, ceil_div(columns, kFloats));
  }
  return sum;
}

std::vector<TransposedPart> single_phases(const TransposedGeometry& g) {
  const auto split = [](const std::vector<PhaseGroup>& groups) {
    std::vector<PhaseGroup> single;
    for (const PhaseGroup& group : groups) {
      for (std::int64_t i = 0; i < group.phases(); ++i) {
        single.push_back(group);
        single.back().first += i;
        single.back().tap = {group.tap[static_cast<std::size_t>(i)]};
      }
    }
    return single;
  };
  std::vector<TransposedPart> parts;
  const std::vector<PhaseGroup> columns = split(phase_groups(g.w, true));
  for (const PhaseGroup& row : split(phase_groups(g.h, true))) {
    for (const PhaseGroup& column : columns) parts.push_back({row, column});
  }
  return parts;
}

/// The filter that meets an input at [row][column] of a part's window.
struct Filter {
  const TransposedGeometry& g;
  const TransposedPart& p;
  const float* weight;

  const float* at(std::int64_t row_phase, std::int64_t column_phase, std::int64_t row, std::int64_t column) const {
    const std::int64_t kh = p.rows.tap[static_cast<std::size_t>(row_phase)] - row * p.rows.tap_step;
    const std::int64_t kw = p.columns.tap[static_cast<std::size_t>(column_phase)] - column * p.columns.tap_step;
    return weight + (kh * g.w.taps + kw) * g.in * (g.out / g.groups);
  }
};

PackedMatrix pack_part(const TransposedGeometry& g, const TransposedPart& p, const float* weight, const float* bias, std::int64_t group) {
  const std::int64_t in = g.in / g.groups, out = g.out / g.groups, rows = p.rows.phases(), columns = p.columns.phases();
  const std::int64_t k = p.rows.taps * p.columns.taps * in, width = rows * columns * out;
  std::vector<float> matrix, all_bias;
  matrix.reserve(static_cast<std::size_t>(k * width));
  const Filter filter{g, p, weight};
  for (std::int64_t r = 0; r < p.rows.taps; ++r) {
    for (std::int64_t c = 0; c < p.columns.taps; ++c) {
      for (std::int64_t channel = group * in; channel < (group + 1) * in; ++channel) {
        for (std::int64_t i = 0; i < rows * columns; ++i) {
          const float* const from = filter.at(i / columns, i % columns, r, c) + channel * out;
          matrix.insert(matrix.end(), from, from + out);
        }
      }
    }
  }
  for (std::int64_t i = 0; bias != nullptr && i < rows * columns; ++i) {
    all_bias.insert(all_bias.end(), bias + group * out, bias + (group + 1) * out);
  }
  return pack_matrix(matrix.data(), width, bias == nullptr ? nullptr : all_bias.data(), k, width, active_kernels());
}

PackedDepthwise pack_phase(const TransposedGeometry& g, const TransposedPart& p, const float* weight, const float* bias) {
  std::vector<float> filters;
  const Filter filter{g, p, weight};
  for (std::int64_t r = 0; r < p.rows.taps; ++r) {
    for (std::int64_t c = 0; c < p.columns.taps; ++c) {
      const float* const from = filter.at(0, 0, r, c);
      filters.insert(filters.end(), from, from + g.out);
    }
  }
  return pack({filters.data(), p.rows.taps, p.columns.taps, g.in, g.out / g.in, bias}, active_kernels().lanes);
}

}  // namespace

void check_geometry(const TransposedGeometry& g) {
  check_axis(g.h);
  check_axis(g.w);
  if (g.in < 1 || g.out < 1) reject("channels", "1 or more", std::to_string(g.in) + " and " + std::to_string(g.out));
  if (g.groups < 1 || g.in % g.groups != 0 || g.out % g.groups != 0) {
    reject("groups", "a divisor of the " + std::to_string(g.in) + " and " + std::to_string(g.out) + " channels", std::to_string(g.groups));
  }
}

std::vector<TransposedPart> transposed_parts(const TransposedGeometry& g) {
  if (g.depthwise()) return single_phases(g);
  std::vector<TransposedPart> exact = combined(g, true), joined = combined(g, false);
  // Positions at the border compute pixels that are cropped, if phases that begin at other q are together; few columns gain more. With 0.7
  // 16x16 40->5 6x6 s4 takes 89 us for 71, with 1.0 7x7 64->21 4x4 s2 35 for 31; eight others the same (Zen 3, 2026-11-30).
  return vector_taps(g, joined) < 0.85 * vector_taps(g, exact) ? joined : exact;
}

std::vector<TransposedPart> joined_part(const TransposedGeometry& g, int lanes) {
  // With AVX-512 panels are wider and seldom full, and planes pay for parts by themselves.
  if (lanes != 8 || g.depthwise() || g.h.dilation != 1 || g.w.dilation != 1) return {};
  const std::int64_t in = g.in / g.groups, out = g.out / g.groups;
  TransposedPart joined{all_phases(g.h), all_phases(g.w)};
  // Vectors of multiply-adds for a position: a tile of one vector reaches two thirds of the peak, and sums are stored by way of scratch.
  double by_panels = 0;
  for (const TransposedPart& p : transposed_parts(g)) {
    const std::int64_t vectors = ceil_div(product({p.rows.phases(), p.columns.phases(), out}), lanes);
    by_panels += magnitude(p.rows.taps, p.columns.taps, in, vectors) * (vectors == 1 ? 1.45 : 1.05) + 6 * magnitude(vectors);
  }
  const double each = 1.0 / lanes, made = magnitude(joined.rows.phases(), joined.columns.phases(), out);
  const double by_planes = each * (1.2 * magnitude(g.h.taps, g.w.taps, in, out) + 4 * magnitude(in) + 12 * made);
  joined.share = by_planes / by_panels;
  if (joined.share > 0.75) return {};
  return {std::move(joined)};
}

std::vector<PackedMatrix> join_matrices(const TransposedGeometry& g, const TransposedPart& joined, const std::vector<TransposedPart>& parts,
                                        const std::vector<PackedMatrix>& matrices) {
  const std::int64_t in = g.in / g.groups, out = g.out / g.groups, across = joined.columns.phases();
  std::vector<PackedMatrix> made;
  for (std::int64_t group = 0; group < g.groups; ++group) {
    PackedMatrix m = matrix_layout(product({joined.rows.taps, joined.columns.taps, in}), product({joined.rows.phases(), across, out}),
                                   matrices.front().lanes, HalfPanel::none);
    m.panels = 1;
    m.panel_vectors = m.last_panel_vectors = static_cast<int>(ceil_div(m.columns, m.lanes));
    const std::shared_ptr<float> weights = shared_array<float>(m.weight_floats()), bias = shared_array<float>(m.bias_floats());
    std::fill_n(weights.get(), m.weight_floats(), 0.0F);
    std::fill_n(bias.get(), m.bias_floats(), 0.0F);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const PhaseGroup &rows = parts[i].rows, &columns = parts[i].columns;
      const Unpacked from = unpack(matrices[i * static_cast<std::size_t>(g.groups) + static_cast<std::size_t>(group)]);
      const std::int64_t run = columns.phases() * out, width = rows.phases() * run;
      for (std::int64_t phase = 0; phase < rows.phases(); ++phase) {
        const std::int64_t to = ((rows.first + phase) * across + columns.first) * out;
        std::copy_n(from.bias.data() + phase * run, run, bias.get() + to);
        for (std::int64_t k = 0; k < rows.taps * columns.taps * in; ++k) {
          const std::int64_t tap = k / in, row = joined.rows.taps - rows.taps + tap / columns.taps;
          const std::int64_t column = joined.columns.taps - columns.taps + tap % columns.taps;
          const std::int64_t at = (row * joined.columns.taps + column) * in + k % in;
          std::copy_n(from.weights.data() + k * width + phase * run, run, weights.get() + at * m.bias_floats() + to);
        }
      }
    }
    m.weights = weights;
    m.bias = bias;
    made.push_back(std::move(m));
  }
  return made;
}

TransposedFilters pack_transposed(const TransposedGeometry& g, const float* weight, const float* bias) {
  check_geometry(g);
  const std::vector<TransposedPart> parts = transposed_parts(g);
  if (g.depthwise()) {
    std::vector<PackedDepthwise> filters;
    for (const TransposedPart& p : parts) filters.push_back(pack_phase(g, p, weight, bias));
    return filters;
  }
  std::vector<PackedMatrix> matrices;
  for (const TransposedPart& p : parts) {
    for (std::int64_t group = 0; group < g.groups; ++group) matrices.push_back(pack_part(g, p, weight, bias, group));
  }
  return matrices;
}

}  // namespace dwsep::runtime
