// Transposed convolutions by matrices; and the choice.
#include "runtime/layers/conv_transpose.hpp"

#include <algorithm>
#include <string>

#include "runtime/layers/conv_transpose_base.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/layers/standard_areas.hpp"
#include "runtime/layers/standard_padded.hpp"

namespace dwsep::runtime {
namespace {

/// Matrices: the outputs of a position side by side, for each group of channels.
class TransposedMatrices final : public ConvTranspose {
 public:
  TransposedMatrices(const TransposedGeometry& g, std::vector<PackedMatrix> matrices, const Activation& activation)
      : ConvTranspose(g, activation), matrices_(std::move(matrices)), joined_(joined_part(g, active_kernels().lanes)) {
    if (matrices_.size() != parts_.size() * static_cast<std::size_t>(g.groups)) {
      reject("weights", std::to_string(parts_.size()) + " matrices for each group", std::to_string(matrices_.size()));
    }
    std::vector<float> bias;
    for (std::size_t i = 0; i < matrices_.size(); ++i) {
      const PackedMatrix& m = matrices_[i];
      check_lanes(m.lanes);
      const TransposedPart& p = part(i);
      const std::int64_t k = p.rows.taps * p.columns.taps * (g.in / g.groups);
      const std::int64_t columns = p.rows.phases() * p.columns.phases() * (g.out / g.groups);
      const auto text = [](std::int64_t a, std::int64_t b) { return std::to_string(a) + " x " + std::to_string(b); };
      if (m.k != k || m.columns != columns) reject("weights of a part", text(k, columns), text(m.k, m.columns));
      if (i < static_cast<std::size_t>(g.groups)) bias.insert(bias.end(), m.bias.get(), m.bias.get() + g.out / g.groups);
    }
    set_untouched(std::move(bias));
    zeros_ = zeros_change_nothing(matrices_);
    if (!joined_.empty()) joined_matrices_ = join_matrices(g, joined_.front(), parts_, matrices_);
  }

  bool takes_planes(const Shape& x) const override { return parts_of(x, output_shape(x)).joined; }
  bool makes_planes(const Shape& x) const override { return all_meet_taps() && takes_planes(x); }

  std::int64_t scratch_bytes(const Shape& x, int threads) const override {
    return measure([&](Scratch& s) { s.take_each<std::byte>(threads, bytes_of_a_thread(x, output_shape(x))); });
  }

 protected:
  std::string kernel_name() const override { return gemm_name(matrices_.front().panel_vectors); }

  void run_parts(Team& team, const ConstTensor& x, const Tensor& y, ChannelSteps steps, Scratch scratch) const noexcept override {
    std::byte* const own = scratch.take_each<std::byte>(team.size(), bytes_of_a_thread(x.shape, y.shape))[team.rank()];
    const Parts parts = parts_of(x.shape, y.shape);
    for (std::size_t p = 0; p < parts.parts->size(); ++p) run_part(team, x, y, steps, parts, p, Scratch(own));
  }

 private:
  const TransposedPart& part(std::size_t matrix) const { return parts_[matrix / static_cast<std::size_t>(g_.groups)]; }

  /// What a call goes through: the parts of the file, or their join.
  struct Parts {
    const std::vector<TransposedPart>* parts;
    const std::vector<PackedMatrix>* matrices;
    bool joined;
  };
  Parts parts_of(const Shape& x, const Shape& y) const {
    if (!joined_.empty()) {
      const Geometry g = Positions(g_, joined_.front(), y).geometry(joined_.front());
      // Lanes of no position, and tiles of two vectors, of which six sums wait for one another: 4x4 with stride 3 434->2 on 11x10 takes 144
      // us so and 82 by panels, 3x3 with stride 2 24->1 on 18x18 12 and 24 (AMD EPYC, Zen 3, AVX2, 2026-11-30).
      const std::int64_t vectors = std::max<std::int64_t>(ceil_div(g.out_w, 8), 2);
      const double time = joined_.front().share * magnitude(8 * vectors) * (vectors == 2 ? 1.4 : 1.0);
      if (time <= 0.75 * magnitude(g.out_w) && areas(g, x, joined_matrices_.front(), true).planes > 0)
        return {&joined_, &joined_matrices_, true};
    }
    return {&parts_, &matrices_, false};
  }
  /// Of the first group of a part; the others are alike.
  const PackedMatrix& matrix_of(const Parts& parts, std::size_t part) const {
    return (*parts.matrices)[part * static_cast<std::size_t>(g_.groups)];
  }
  StandardAreas areas(const Geometry& g, const Shape& x, const PackedMatrix& matrix, bool joined) const {
    const std::int64_t in = g_.in / g_.groups;
    return joined ? plane_areas(g, in, matrix.columns) : standard_areas(g, x, in, matrix, true, zeros_ && g.kh * g.kw > 1);
  }

  std::int64_t bytes_of_a_thread(const Shape& x, const Shape& y) const {
    std::int64_t most = 0;
    const Parts parts = parts_of(x, y);
    for (std::size_t p = 0; p < parts.parts->size(); ++p) {
      const TransposedPart& part = (*parts.parts)[p];
      const PackedMatrix& matrix = matrix_of(parts, p);
      const Positions at(g_, part, y);
      if (at.empty()) continue;
      const Geometry g = at.geometry(part);
      most = std::max(most, measure([&](Scratch& s) {
                        const StandardAreas a = areas(g, x, matrix, parts.joined);
                        standard_scratch(g, a, matrix, true, 1, s);
                        s.take_each<float>(1, a.padded);
                      }));
    }
    return most;
  }

  void run_part(const Team& team, const ConstTensor& x, const Tensor& y, ChannelSteps steps, const Parts& parts, std::size_t p,
                Scratch scratch) const noexcept {
    const TransposedPart& part = (*parts.parts)[p];
    const PackedMatrix& matrix = matrix_of(parts, p);
    const Positions at(g_, part, y.shape);
    if (at.empty()) return;
    const Geometry g = at.geometry(part);
    const std::int64_t all_rows = x.shape.n * g.out_h, panels = matrix.panels;
    const bool by_panels = split_by_panels(columns_of(matrix), all_rows * g.out_w, all_rows, team.size());
    const Range rows = by_panels ? Range{0, all_rows} : part_of(all_rows, team.rank(), team.size());
    const Range mine = by_panels ? part_of(panels, team.rank(), team.size()) : Range{0, panels};
    const Spread spread = spread_of(at, part, y);
    const StandardAreas a = areas(g, x.shape, matrix, parts.joined);
    const StandardScratch own = standard_scratch(g, a, matrix, true, 1, scratch);
    float* const pixels = scratch.take_each<float>(1, a.padded)[0];
    for_each_piece(rows, g.out_h, g.out_h, [&](std::int64_t image, Range piece) {
      for (std::int64_t group = 0; group < g_.groups; ++group) {
        StandardWork w = work(g, x, y, steps, (*parts.matrices)[p * static_cast<std::size_t>(g_.groups) + static_cast<std::size_t>(group)],
                              group, image);
        w.spread = &spread;
        if (a.padded > 0) put_zeros_around(w, piece, 1, pixels);
        w.gemm.panel_begin = mine.begin;
        w.gemm.panel_end = mine.end;
        w.segments = own.segments[0];
        w.sums = own.sums[0];
        w.planes = own.planes[0];
        run_standard(w, a, piece);
      }
    });
  }

  Spread spread_of(const Positions& at, const TransposedPart& p, const Tensor& y) const {
    return {p.columns.phases(),
            g_.out / g_.groups,
            g_.h.stride,
            g_.w.stride,
            at.rows.begin * g_.h.stride + p.rows.first - g_.h.pad_before,
            at.columns.begin * g_.w.stride + p.columns.first - g_.w.pad_before,
            y.stride_h,
            y.stride_w,
            y.shape.h,
            y.shape.w,
            p.rows.phases() - p.rows.short_phases,
            p.columns.phases() - p.columns.short_phases};
  }

  StandardWork work(const Geometry& g, const ConstTensor& x, const Tensor& y, ChannelSteps steps, const PackedMatrix& matrix,
                    std::int64_t group, std::int64_t image) const {
    StandardWork w{};
    w.gemm = matrix.work();
    w.gemm.activation = activation_;
    w.gemm.a = x.as<float>() + (image * x.stride_n + group * (g_.in / g_.groups) * steps.x);
    w.gemm.y = y.as<float>() + (image * y.stride_n + group * (g_.out / g_.groups) * steps.y);
    w.x_channel = steps.x;
    w.y_channel = steps.y;
    w.x_row = x.stride_h;
    w.x_pixel = x.stride_w;
    w.height = x.shape.h;
    w.width = x.shape.w;
    w.channels = g_.in / g_.groups;
    set_filter(w, g);
    w.y_row = g_.h.stride * y.stride_h;
    w.y_pixel = g_.w.stride * y.stride_w;
    return w;
  }

  std::vector<PackedMatrix> matrices_;
  std::vector<TransposedPart> joined_;  ///< one, or none
  bool zeros_;                          ///< change nothing
  std::vector<PackedMatrix> joined_matrices_;
};

}  // namespace

std::shared_ptr<const PackedLayer> make_transposed_matrices(const TransposedGeometry& g, std::vector<PackedMatrix> matrices,
                                                            const Activation& activation) {
  return std::make_shared<TransposedMatrices>(g, std::move(matrices), activation);
}

std::shared_ptr<const PackedLayer> make_conv_transpose(const TransposedGeometry& geometry, TransposedFilters filters,
                                                       const Activation& activation) {
  check_geometry(geometry);
  if (geometry.depthwise()) {
    return make_transposed_depthwise(geometry, std::get<std::vector<PackedDepthwise>>(std::move(filters)), activation);
  }
  return make_transposed_matrices(geometry, std::get<std::vector<PackedMatrix>>(std::move(filters)), activation);
}

}  // namespace dwsep::runtime
