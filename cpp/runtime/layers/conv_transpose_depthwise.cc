// Transposed convolutions by depthwise filters.
#include <algorithm>
#include <string>

#include "runtime/layers/conv_transpose_base.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {
namespace {

/// Depthwise filters: a convolution for each phase.
class TransposedDepthwise final : public ConvTranspose {
 public:
  TransposedDepthwise(const TransposedGeometry& g, std::vector<PackedDepthwise> filters, const Activation& activation)
      : ConvTranspose(g, activation) {
    if (filters.size() != parts_.size()) {
      reject("weights", std::to_string(parts_.size()) + " filters", std::to_string(filters.size()));
    }
    const float* const bias = filters.front().bias.get();
    set_untouched({bias, bias + g.out});
    for (std::size_t i = 0; i < filters.size(); ++i) {
      const TransposedPart& p = parts_[i];
      const PackedDepthwise& f = filters[i];
      const bool fits = f.kh == p.rows.taps && f.kw == p.columns.taps && f.channels == g.in && f.outputs() == g.out;
      if (!fits) reject("weights of a part", "filters of its size", std::to_string(f.kh) + " x " + std::to_string(f.kw));
      ConvOptions options;
      options.dilation_h = p.rows.input_step;
      options.dilation_w = p.columns.input_step;
      stages_.emplace_back(std::move(filters[i]), options, activation);
    }
  }

 protected:
  std::string kernel_name() const override { return stages_.front().kernel_name(); }

  void run_parts(Team& team, const ConstTensor& x, const Tensor& y, ChannelSteps /*steps*/, Scratch) const noexcept override {
    // Rows of the output that are in the cache while all phases write them.
    constexpr std::int64_t kRowBytes = 256 * 1024;
    const std::int64_t q_rows = ceil_div(y.shape.h + g_.h.pad_before, g_.h.stride);
    const std::int64_t row = bytes_of<float>(product({g_.h.stride, y.shape.w, g_.out}));
    const std::int64_t at_once = std::max<std::int64_t>(kRowBytes / row, 1);
    for_each_piece(part_of(x.shape.n * q_rows, team.rank(), team.size()), q_rows, at_once, [&](std::int64_t image, Range q) {
      for (std::size_t i = 0; i < parts_.size(); ++i) run_part(x, y, i, image, q);
    });
  }

 private:
  /// Rows q of one phase.
  void run_part(const ConstTensor& x, const Tensor& y, std::size_t i, std::int64_t image, Range q) const noexcept {
    const TransposedPart& p = parts_[i];
    const Positions at(g_, p, y.shape);
    const Range rows{std::max(q.begin, at.rows.begin) - at.rows.begin, std::min(q.end, at.rows.end) - at.rows.begin};
    if (at.empty() || rows.begin >= rows.end) return;
    Geometry g = at.geometry(p);
    Source from = image_of(x, image);
    // Inputs above and to the left of the first that any position meets.
    const std::int64_t above = std::clamp<std::int64_t>(-g.pad_top, 0, from.height),
                       before = std::clamp<std::int64_t>(-g.pad_left, 0, from.width);
    from.data += above * from.row + before * from.pixel;
    from.height -= above;
    from.ring = from.height;
    from.width -= before;
    g.pad_top = std::max<std::int64_t>(g.pad_top, 0);
    g.pad_left = std::max<std::int64_t>(g.pad_left, 0);
    const std::int64_t row = (at.rows.begin + rows.begin) * g_.h.stride + p.rows.first - g_.h.pad_before;
    const std::int64_t column = at.columns.begin * g_.w.stride + p.columns.first - g_.w.pad_before;
    float* const to = y.as<float>() + image * y.stride_n + row * y.stride_h + column * y.stride_w;
    if (from.height == 0 || from.width == 0) return fill(to, y, rows.end - rows.begin, g.out_w);
    DepthwiseWork w = stages_[i].work(g, from, {to, g_.h.stride * y.stride_h, g_.w.stride * y.stride_w});
    set_area(w, {rows, {0, g.out_w}, {0, stages_[i].packed().vectors}}, to);
    stages_[i].run(w);
  }

  /// Positions that meet no input.
  void fill(float* to, const Tensor& y, std::int64_t rows, std::int64_t columns) const noexcept {
    for (std::int64_t row = 0; row < rows; ++row, to += g_.h.stride * y.stride_h) {
      for (std::int64_t pixel = 0; pixel < columns; ++pixel) std::copy_n(untouched(), g_.out, to + pixel * g_.w.stride * y.stride_w);
    }
  }

  std::vector<DepthwiseStage> stages_;
};

}  // namespace

std::shared_ptr<const PackedLayer> make_transposed_depthwise(const TransposedGeometry& g, std::vector<PackedDepthwise> filters,
                                                             const Activation& activation) {
  return std::make_shared<TransposedDepthwise>(g, std::move(filters), activation);
}

}  // namespace dwsep::runtime
