#include "runtime/layers/standard_areas.hpp"

#include <algorithm>
#include <cstring>

#include "dwsep/cpu.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/layers/standard_padded.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep::runtime {
namespace {

/// What positions of one axis cost, in taps: exactly, and where each run of positions that meets the same taps has tiles of its own.
struct AxisCost {
  double taps = 0;          ///< of all positions together
  std::int64_t runs = 0;    ///< at the ends
  double end_taps = 0;      ///< taps of those
  std::int64_t inside = 0;  ///< positions that meet all taps

  AxisCost(std::int64_t outputs, std::int64_t stride, std::int64_t pad, std::int64_t dilation, std::int64_t taps_of, std::int64_t size) {
    const auto met = [&](std::int64_t out) {
      const std::int64_t first = out * stride - pad;
      const std::int64_t begin = first < 0 ? ceil_div(-first, dilation) : 0;
      const std::int64_t end = first < size ? std::min((size - 1 - first) / dilation + 1, taps_of) : 0;
      return std::max<std::int64_t>(end - begin, 0);
    };
    const std::int64_t room = size + pad - (taps_of - 1) * dilation;
    const std::int64_t begin = std::clamp<std::int64_t>(ceil_div(std::max<std::int64_t>(pad, 0), stride), 0, outputs);
    const std::int64_t end = std::clamp<std::int64_t>(room > 0 ? (room - 1) / stride + 1 : 0, begin, outputs);
    inside = end - begin;
    // Of ends of many positions a sample: it decides nothing but the order of the work.
    const auto add = [&](std::int64_t from, std::int64_t to) {
      constexpr std::int64_t kSamples = 16;
      const std::int64_t step = std::max<std::int64_t>((to - from) / kSamples, 1);
      for (std::int64_t out = from; out < to; out += step) end_taps += static_cast<double>(met(out) * std::min(step, to - out));
      runs += to - from;
    };
    add(0, begin);
    add(end, outputs);
    taps = end_taps + static_cast<double>(inside * taps_of);
  }
  std::int64_t all_runs() const { return runs + (inside > 0 ? 1 : 0); }
};

/// Cycles of vector multiply-adds, two a cycle, of `positions` with so many taps times channels each: a tile of few positions waits for its
/// own sums.
double tiles_cost(double positions, double length, int vectors, std::int64_t most) {
  if (positions <= 0) return 0;
  const double tiles = std::max(positions / static_cast<double>(most), 1.0), each = positions / tiles * vectors / 2;
  return tiles * (std::max(each, 4.0) * length + 10);
}

/// Whether positions are lanes: where three eighths of the lanes would have none otherwise, and so many multiplications for each input are
/// saved that they make up for planes.
bool planes_pay(const Geometry& g, const PackedMatrix& matrix, bool spread) {
  const std::int64_t width = ceil_div(matrix.columns, matrix.lanes) * matrix.lanes;
  const bool saves = 2 * product({g.kh, g.kw, width - matrix.columns}) >= 3 * width;
  if (matrix.panels != 1 || 8 * matrix.columns > 5 * width || g.stride_w != 1 || !saves) return false;
  if (g.out_w >= 32 || active_kernels().lanes != 8) return g.out_w >= 32;
  // From five positions on: 3x3 64->1 on 20x8 takes 19.7 us by panels and 9.0 so, on 20x5 12.6 and 9.8, 5x5 24->1 on 14x7 13.4 and 6.9, 7x7
  // 64->2 5x5 14.4 and 12.3; of four it gains 1.0 to 1.1, of three 0.84 (Zen 3, 2026-11-30).
  if (g.out_w < 5) return false;
  const std::int64_t vectors = std::max<std::int64_t>(ceil_div(g.out_w, matrix.lanes), 2);
  // Six sums at a time next to tiles of one vector: 13x13 256->4 5x5 takes 0.70 of the time, 10x10 64->4 0.83; next to two vectors
  // 11x11 128->9 3x3 takes 1.2, transposed 10x10 64->4 5x5 s2 1.16. Short sums do not pay for the planes: 11x11 8->4 3x3 takes 1.25, 16->4
  // 1.12, 24->4 0.9 (Zen 3, 2026-11-30).
  const bool six = !spread && vectors == 2 && width == matrix.lanes && product({g.kh, matrix.columns}) >= 6 && matrix.k >= 192;
  return 6 * product({vectors, matrix.columns}) <= (six ? 5 : 4) * product({g.out_w, width / matrix.lanes});
}

/// Whether every pixel between those that an output reads meets a tap of it or of the next: whole rows hold nothing else then. In a view of
/// one pixel, 2^29 rows may lie between two outputs.
template <class Shape>
bool reads_whole_rows(const Shape& g) {
  return g.stride_h <= g.kh && g.stride_w <= g.kw && g.dilation_h * g.dilation_w == 1;
}

}  // namespace

StandardAreas plane_areas(const Geometry& g, std::int64_t channels, std::int64_t columns) {
  // A row of planes and four of sums: long rows are cut.
  std::int64_t most = cached_floats();
  const std::int64_t around = (g.kw - 1) * g.dilation_w + PlaneSizes(0, 1, 1, 1, 1).x_plane, least = std::min<std::int64_t>(g.out_w, 32);
  // Of many channels half the cache: transposed 5x5 with stride 2, 484->1 on 32x32, 3,770 us by panels and 1,074 so, 3x3 384->4 on 38x38
  // 7,000 and 1,950 (AMD EPYC, Zen 3, AVX2, 2026-11-30).
  if (active_kernels().lanes == 8 && most / (channels + 4 * columns) - around < least) most *= 2;
  const std::int64_t room = most / (channels + 4 * columns) - around;
  if (room < least) return {};
  StandardAreas a{};
  a.columns = ceil_div(g.out_w, ceil_div(g.out_w, room));
  const PlaneSizes sizes(a.columns, channels, columns, g.kw, g.dilation_w);
  a.rows = std::clamp<std::int64_t>((most - sizes.x_row) / sizes.y_row, 1, std::max<std::int64_t>(g.out_h, 1));
  a.planes = sizes.x_row + a.rows * sizes.y_row;
  return a;
}

std::int64_t cached_floats() { return std::max<std::int64_t>(cache_sizes().l2 / 4, 65536) / bytes_of<float>(1); }

std::int64_t rows_that_fit(const Geometry& g, const Shape& x, std::int64_t x_row, std::int64_t y_row) {
  const std::int64_t again = std::max<std::int64_t>(input_span(1, g.kh, g.stride_h, g.dilation_h, x.h) - g.stride_h, 0);
  const std::int64_t room = cached_floats() - product({again, x_row}), each = product({std::min(g.stride_h, x.h), x_row}) + y_row;
  return std::clamp<std::int64_t>(room / each, 1, std::max<std::int64_t>(g.out_h, 1));
}

StandardAreas standard_areas(const Geometry& g, const Shape& x, std::int64_t channels, const PackedMatrix& matrix, bool spread,
                             bool zeros) {
  constexpr std::int64_t kSumBytes = 32 * 1024, kPanelBytes = 32 * 1024, kInputBytes = 256 * 1024;
  // For shorter blocks more sums are stored and loaded: 192 take 0.93 to 1.02 of the time of 64 (Zen 3, 2026-11-29), 64 on AVX-512.
  const std::int64_t least_length = active_kernels().lanes == 16 ? 64 : 192;
  StandardAreas a{};
  if (planes_pay(g, matrix, spread)) a = plane_areas(g, channels, matrix.columns);
  if (a.planes > 0) return a;
  const std::int64_t width = matrix.widest_panel() * matrix.lanes;
  const int vectors = matrix.panel_vectors;
  const std::int64_t most = active_kernels().lanes == 16 ? 14 / vectors : 12 / vectors;

  const AxisCost down(g.out_h, g.stride_h, g.pad_top, g.dilation_h, g.kh, x.h);
  const AxisCost along(g.out_w, g.stride_w, g.pad_left, g.dilation_w, g.kw, x.w);
  const double depth = static_cast<double>(channels);
  const auto taps = [](std::int64_t a_tap, std::int64_t b_tap) { return static_cast<double>(a_tap) * static_cast<double>(b_tap); };
  const double h = static_cast<double>(down.inside), w = static_cast<double>(along.inside);
  const double down_end = down.runs > 0 ? down.end_taps / static_cast<double>(down.runs) : 0;
  const double along_end = along.runs > 0 ? along.end_taps / static_cast<double>(along.runs) : 0;
  const double at_once = tiles_cost(h * w, taps(g.kh, g.kw) * depth, vectors, most) +
                         static_cast<double>(down.runs) * tiles_cost(w, down_end * static_cast<double>(g.kw) * depth, vectors, most) +
                         static_cast<double>(along.runs) * tiles_cost(h, along_end * static_cast<double>(g.kh) * depth, vectors, most) +
                         static_cast<double>(down.runs * along.runs) * tiles_cost(1, down_end * along_end * depth, vectors, most);

  a.block_taps = std::min(ceil_div(least_length, channels), g.kw);
  // Few positions of one tap are more of a tile than those of several, of which most miss some: 3x3 64->64 on 3x3 takes 0.78 of the time,
  // 128->128 on 2x2 0.86, 5x5 64->64 on 3x3 0.86 (Zen 3, 2026-11-29); of 32 channels, or on 4x4, 1.0 to 1.1, and where many meet nothing
  // 1.4.
  const bool met = g.kh < 2 * g.out_h && g.kw < 2 * g.out_w;
  if (active_kernels().lanes == 8 && g.out_h * g.out_w <= 9 && channels >= 64 && met) a.block_taps = 1;
  a.block_channels = std::min(channels, std::max<std::int64_t>(kPanelBytes / bytes_of<float>(width), 64));
  const double blocks = magnitude(g.kh, ceil_div(g.kw, a.block_taps), ceil_div(channels, a.block_channels));
  const double positions = magnitude(g.out_h, g.out_w);
  const double by_blocks =
      tiles_cost(positions, down.taps * along.taps * depth / positions, vectors, most) * 1.05 + positions * vectors * blocks * 2;
  const bool exceeds = matrix.k * width * 4 > 512 * 1024;
  if (zeros) {
    // Each run of positions, of each block, takes some 200 cycles more than its sums, and a copied float one: of 1,300 layers as networks
    // have them the choice takes 1.008 of what the better one of each takes, never 1.052, always 1.15 (AMD EPYC, Zen 3, AVX2, 2026-11-30).
    // Of a block of few taps most positions meet all or none.
    constexpr std::int64_t kMostFloats = 65536;
    const std::int64_t floats = padded_floats(g, channels), taps_apart = (a.block_taps - 1) * ceil_div(g.dilation_w, g.stride_w);
    const double copied = channels == x.c ? 1 : 1 + 6 / depth,
                 around = 100 + copied * static_cast<double>(floats) / static_cast<double>(matrix.panels);
    const double all = tiles_cost(positions, taps(g.kh, g.kw) * depth, vectors, most) + around;
    const double runs = 200 * magnitude(along.all_runs(), down.all_runs());
    const double block_runs = 200 * magnitude(std::min(along.all_runs(), 1 + 2 * taps_apart)) * blocks;
    if (floats <= kMostFloats && all < std::min(at_once + runs, by_blocks + block_runs)) a.padded = floats;
  }
  if (a.padded > 0 || at_once * (exceeds ? 0.9 : 1.0) <= by_blocks) a.block_taps = 0;

  const bool sums = spread || a.block_taps > 0;
  const std::int64_t most_positions = sums ? std::max<std::int64_t>(kSumBytes / bytes_of<float>(width), 1) : g.out_h * g.out_w;
  a.columns = std::clamp<std::int64_t>(g.out_w, 1, std::max<std::int64_t>(most_positions, 64));
  // What strides step over is not read.
  const double row = 4 * magnitude(std::min(a.columns * std::min(g.stride_w, g.kw), x.w), std::min(g.stride_h, g.kh), channels);
  const std::int64_t input_rows = static_cast<std::int64_t>(std::max(static_cast<double>(kInputBytes) / std::max(row, 1.0), 1.0));
  a.rows = std::clamp<std::int64_t>(std::min(input_rows, most_positions / a.columns), 1, std::max<std::int64_t>(g.out_h, 1));
  return a;
}

std::int64_t groups_at_once(const Geometry& g, const StandardAreas& a, const PackedMatrix& p, std::int64_t count, std::int64_t inputs) {
  // In the level-1 cache and half of the level-2 cache: 15x15 3->424 takes 48 us panel by panel and 31 so, 28x28x192 in 24 groups with
  // stride 3 123 and 58 (AMD EPYC, Zen 3, AVX2, 2026-11-30).
  constexpr std::int64_t kOneGroup = 32 * 1024, kAllGroups = 256 * 1024;
  // Half of the level-2 cache: of 4,096 to 262,144 none is faster than another by more than 2 %, nine layers in 8 to 24 groups (Zen 3).
  constexpr std::int64_t kPaddedFloats = 65536;
  const std::int64_t bytes = bytes_of<float>(p.weight_floats());
  if (p.lanes != 8 || a.planes > 0 || a.block_taps > 0 || p.slopes != nullptr) return 0;
  // Pixels that are near one another are rows of a product: 99x16 64->320 in 16 groups, 1x1, takes 160 us so and 201 by tiles, 9x6
  // 2048->256 in 32 groups 80 and 40.
  if (product({g.kh, g.kw, g.stride_h, g.stride_w}) == 1 && (count == 1 || inputs < 384)) return 0;
  // Few panels want longer rows: 224x224 3->32 with stride 2 takes 356 us so and 306 panel by panel, 112x112 3->96 212 and 203.
  if (count == 1) return p.panels >= 12 && bytes <= kOneGroup ? 1 : 0;
  std::int64_t most = std::min(kAllGroups / bytes, count);
  if (a.padded > 0) most = std::min(most, kPaddedFloats / a.padded);
  return most < 2 ? 0 : ceil_div(count, ceil_div(count, most));
}

StandardScratch standard_scratch(const Geometry& g, const StandardAreas& areas, const PackedMatrix& matrix, bool spread, int threads,
                                 Scratch& s) {
  const bool sums = spread || areas.block_taps > 0;
  return {s.take_each<Segment>(threads, product({g.kh, g.kw})),
          s.take_each<float>(threads, sums ? product({areas.rows, areas.columns, matrix.widest_panel(), matrix.lanes}) : 0),
          s.take_each<float>(threads, areas.planes)};
}

std::int64_t apart_rows(const Geometry& g, const Shape& x, std::int64_t channels) {
  constexpr std::int64_t kReadFloats = 524288;  // 2 MB, whose pages fit the first TLBs
  const std::int64_t row = product({x.w, x.c});
  const bool exceeds = bytes_of<float>(product({x.h, row})) > cache_sizes().l2;
  if (g.kh * g.kw == 1 || !reads_whole_rows(g) || !exceeds || active_kernels().lanes != 8) return 0;
  const std::int64_t read = std::max<std::int64_t>(kReadFloats / product({row, std::min(g.stride_h, g.kh)}), 1);
  return std::min(rows_that_fit(g, x, x.w * channels, 0), read);
}

void put_apart(StandardWork& w, Range rows, float* pixels) {
  const std::int64_t first = std::clamp<std::int64_t>(rows.begin * w.stride_h - w.pad_top, 0, w.height);
  const std::int64_t last = (rows.end - 1) * w.stride_h - w.pad_top + (w.kh - 1) * w.dilation_h + 1;
  w.height = std::clamp(last, first, w.height) - first;
  w.pad_top += first;
  float* to = pixels;
  for (std::int64_t r = 0; r < w.height; ++r) {
    const float* from = w.gemm.a + (first + r) * w.x_row;
    for (std::int64_t i = 0; i < w.width; ++i, from += w.x_pixel) {
      // Not by calls: of 64 bytes each they took as long as the product.
      std::int64_t c = 0;
      for (; c + 4 <= w.channels; c += 4, to += 4) std::memcpy(to, from + c, 4 * sizeof(float));
      for (; c < w.channels; ++c) *to++ = from[c];
    }
  }
  w.gemm.a = pixels;
  w.x_pixel = w.channels;
  w.x_row = w.width * w.channels;
}

void run_standard(const StandardWork& work, const StandardAreas& areas, Range rows) {
  // Inputs that few taps meet wait for the level-3 cache, and are fetched: 3x3 with stride 2 64->64 on 112x112 takes 0.8 to 0.96 of the
  // time, 32->32 on 224x224 0.84 to 0.98, images of 2 MB and those without strides the same (Zen 3, 2026-11-29; AVX-512 was not timed).
  const bool steps = work.stride_h * work.stride_w > 1 && reads_whole_rows(work) && work.x_channel == 1 && active_kernels().lanes == 8 &&
                     bytes_of<float>(product({work.height, work.width, work.channels})) > 4 * cache_sizes().l2;
  for (std::int64_t row = rows.begin; row < rows.end; row += areas.rows) {
    for (std::int64_t column = 0; column < work.out_width; column += areas.columns) {
      StandardWork w = work;
      w.block_taps = areas.block_taps;
      w.block_channels = areas.block_channels;
      if (areas.planes == 0) w.planes = nullptr;
      w.y_begin = row;
      w.y_end = std::min(row + areas.rows, rows.end);
      if (steps && column == 0) {
        const std::int64_t first = std::max<std::int64_t>(row * w.stride_h - w.pad_top, 0);
        const std::int64_t last = std::min((w.y_end - 1) * w.stride_h - w.pad_top + (w.kh - 1) * w.dilation_h + 1, w.height);
        for (std::int64_t r = first; r < last; ++r) fetch_pixels(w.gemm.a + r * w.x_row, w.width, w.x_pixel, w.channels);
      }
      Spread spread;
      active_kernels().standard(columns_of(w, column, std::min(column + areas.columns, work.out_width), spread));
    }
  }
}

}  // namespace dwsep::runtime
