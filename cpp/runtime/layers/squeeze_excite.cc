#include "runtime/layers/squeeze_excite.hpp"

#include "runtime/dispatch.hpp"

namespace dwsep::runtime {
namespace {

/// mean[c] of the channels [range): rows are added top to bottom, so that the bits do not depend on the division of work.
void average(const float* sums, std::int64_t row_stride, std::int64_t rows, std::int64_t pixels, Range channels, float* mean) {
  for (std::int64_t c = channels.begin; c < channels.end; ++c) mean[c] = sums[c];
  for (std::int64_t r = 1; r < rows; ++r) {
    const float* row = sums + r * row_stride;
    for (std::int64_t c = channels.begin; c < channels.end; ++c) mean[c] += row[c];
  }
  const float count = static_cast<float>(pixels);
  for (std::int64_t c = channels.begin; c < channels.end; ++c) mean[c] /= count;
}

/// A thread's panels of a layer on one pixel.
void run_layer(const PointwiseStage& layer, const float* x, float* y, const Team& team) {
  GemmWork w = layer.work(x, layer.packed().k, y, layer.packed().columns, 1);
  const Range panels = part_of(layer.packed().panels, team.rank(), team.size());
  w.panel_begin = panels.begin;
  w.panel_end = panels.end;
  active_kernels().gemm(w);
}

}  // namespace

PackedSqueezeExcite checked_pack(const SqueezeExcite& s) {
  return {checked_pack(s.reduce_filter), checked_pack(s.excite_filter), s.reduce_activation, s.excite_activation};
}

SqueezeExciteStage::SqueezeExciteStage(PackedSqueezeExcite s, std::int64_t channels)
    : reduce_(std::move(s.reduce), s.reduce_activation), excite_(std::move(s.excite), s.excite_activation) {
  const PackedMatrix &reduce = reduce_.packed(), &excite = excite_.packed();
  check_channels("reduce_weight", channels, reduce.k);
  check_channels("excite_weight", reduce.columns, excite.k);
  if (excite.columns != channels) {
    reject("excite_weight", std::to_string(channels) + " output channels", std::to_string(excite.columns));
  }
}

SqueezeExciteStage::Image SqueezeExciteStage::place(Scratch& scratch, std::int64_t rows) const {
  const std::int64_t row = round_up(reduce_.packed().k, kLineElements<float>);
  Image image{};
  image.row_sums = scratch.take<float>(product({rows, row}));
  image.row = row;
  image.mean = scratch.take<float>(row);
  image.factors = scratch.take<float>(row);
  image.reduced = scratch.take<float>(reduce_.packed().columns);
  return image;
}

void SqueezeExciteStage::run(const Image& image, std::int64_t rows, std::int64_t pixels, Team& team) const {
  constexpr std::int64_t kLine = kLineElements<float>;
  const Range lines = part_of(ceil_div(reduce_.packed().k, kLine), team.rank(), team.size());
  average(image.row_sums, image.row, rows, pixels, {lines.begin * kLine, std::min(lines.end * kLine, reduce_.packed().k)}, image.mean);
  team.barrier();
  run_layer(reduce_, image.mean, image.reduced, team);
  team.barrier();
  run_layer(excite_, image.reduced, image.factors, team);
  team.barrier();
}

}  // namespace dwsep::runtime
