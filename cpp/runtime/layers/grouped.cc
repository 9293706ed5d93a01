#include "runtime/layers/grouped.hpp"

#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/layers/standard_areas.hpp"

namespace dwsep::runtime {

bool lanes_are_groups(const std::vector<PackedMatrix>& matrices, std::int64_t taps, const ConvOptions& options) {
  const PackedMatrix& m = matrices.front();
  const std::int64_t groups = static_cast<std::int64_t>(matrices.size()), lanes = m.lanes;
  if (groups < 2 || m.slopes != nullptr) return false;
  // Vectors of weights either way. Channels of groups are apart in memory: bringing them together takes what a third of the vectors saves.
  const std::int64_t by_groups = ceil_div(groups, lanes) * m.columns, by_columns = groups * ceil_div(m.columns, lanes);
  const bool fewer = 3 * by_groups <= 2 * by_columns;
  if (lanes != 8) return fewer;
  // On 16 registers a tile of one vector loads an input for each multiply-add, which takes 1.45 times as long: 32 groups of 8 on 14x14,
  // 3x3, 97 us for 191, 5x5 268 for 419 (AMD EPYC, Zen 3, 2026-11-29). Not where weights of four columns exceed the level-1 cache, or half
  // of it and columns are more than one vector: 16 groups of 24, 3x3, take 1.3 times as long.
  constexpr std::int64_t kMostRows = 128;
  if (!fewer && m.k > (m.columns <= lanes ? 2 : 1) * kMostRows) return false;
  const std::int64_t inputs = m.k / taps;
  // A call for each pixel, of three channels or where no vector has all its groups, which 77x13x24 in 3 groups waits for; else squares of
  // lanes x lanes, the second of which are stored beyond their group: 64x64x240 in 24 groups of 10, 1x1, 2,100 us so, 1,390 by columns
  // (AMD EPYC, Zen 3, AVX2, 2026-11-30). Of 34 random layers this choice takes 1.05 of what the better way of each takes, columns alone
  // 1.09, groups alone 1.17, and with any of the numbers halved or doubled 1.03 to 1.07.
  const auto moves = [&](std::int64_t n) {
    if (groups < lanes) return 14 * magnitude(n) + 100;
    if (n == 3 || (groups % lanes != 0 && n != 2 && n != 4 && n != 8)) return 14 * magnitude(n);
    return n <= lanes ? 6 * magnitude(n <= 4 ? n : lanes) : 9 * magnitude(ceil_div(n, lanes) * lanes);
  };
  const double moved = moves(inputs) * magnitude(options.stride_h, options.stride_w) + moves(m.columns);
  const double each = m.columns <= lanes ? 1.45 : 1.1;
  return magnitude(ceil_div(groups, lanes)) * (magnitude(m.columns, m.k) + moved) < magnitude(by_columns) * (each * magnitude(m.k) + 12);
}

PackedGroups::PackedGroups(const std::vector<PackedMatrix>& matrices, std::int64_t taps)
    : groups(static_cast<std::int64_t>(matrices.size())), inputs(matrices.front().k / taps), outputs(matrices.front().columns) {
  const std::int64_t lanes = matrices.front().lanes, k = matrices.front().k;
  vectors = ceil_div(groups, lanes);
  const std::int64_t count = product({vectors, outputs, k, lanes}), bias_count = vectors * outputs * lanes;
  bytes = bytes_of<float>(count + bias_count);
  const std::shared_ptr<float> all = shared_array<float>(count), all_bias = shared_array<float>(bias_count);
  std::fill_n(all.get(), count, 0.0F);
  std::fill_n(all_bias.get(), bias_count, 0.0F);
  for (std::int64_t g = 0; g < groups; ++g) {
    const Unpacked from = unpack(matrices[static_cast<std::size_t>(g)]);
    float* to = all.get() + (g / lanes) * outputs * k * lanes + g % lanes;
    float* const to_bias = all_bias.get() + (g / lanes) * outputs * lanes + g % lanes;
    for (std::int64_t c = 0, n = 0; c < outputs; c += n) {
      n = group_columns(outputs - c);
      for (std::int64_t row = 0; row < k; ++row) {
        for (std::int64_t i = c; i < c + n; ++i, to += lanes) *to = from.weights[static_cast<std::size_t>(row * outputs + i)];
      }
    }
    for (std::int64_t c = 0; c < outputs; ++c) to_bias[c * lanes] = from.bias[static_cast<std::size_t>(c)];
  }
  weights = all;
  bias = all_bias;
}

GroupedAreas::GroupedAreas(const Geometry& g, const Shape& x, const PackedGroups& p) : columns(std::max<std::int64_t>(g.out_w, 1)) {
  // Of long rows no more columns than let four rows fit: neighbouring blocks read some inputs twice.
  const std::int64_t lanes = active_kernels().lanes;
  const auto x_rows = [&](std::int64_t outputs) { return input_span(outputs, g.kh, g.stride_h, g.dilation_h, x.h); };
  const std::int64_t column = product({product({x_rows(4), p.inputs, std::min(g.stride_w, x.w)}) + 4 * p.outputs, lanes});
  const std::int64_t least = std::min<std::int64_t>(columns, 16);
  columns = ceil_div(columns, ceil_div(columns, std::clamp<std::int64_t>(cached_floats() / column, least, columns)));
  const GroupedSizes sizes(lanes, p.inputs, p.outputs, input_span(columns, g.kw, g.stride_w, g.dilation_w, x.w), columns);
  rows = rows_that_fit(g, x, sizes.x_row, sizes.y_row);
  floats = product({x_rows(rows), sizes.x_row}) + product({rows, sizes.y_row});
}

void run_grouped(const StandardWork& work, const PackedGroups& packed, const GroupedAreas& areas, Range rows, Range vectors,
                 float* scratch) {
  GroupedWork w{work, packed.groups, vectors.begin, vectors.end, areas.rows, scratch};
  w.conv.gemm.b = packed.weights.get();
  w.conv.gemm.bias = packed.bias.get();
  w.conv.y_begin = rows.begin;
  w.conv.y_end = rows.end;
  const StandardWork all = w.conv;
  for (std::int64_t column = 0; column < work.out_width; column += areas.columns) {
    Spread none;
    w.conv = columns_of(all, column, std::min(column + areas.columns, work.out_width), none);
    active_kernels().grouped(w);
  }
}

}  // namespace dwsep::runtime
