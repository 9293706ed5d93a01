// The depthwise and pointwise stages, packed: layers by themselves, and parts of the fused ones.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>

#include "kernels/registry.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/layers/packing.hpp"

namespace dwsep::runtime {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Input of a stage: an image whose pixels are `pixel` floats apart and whose channel vectors are `vector` floats apart.
struct Source {
  const float* data;
  std::int64_t row, pixel, vector;
  std::int64_t height, width;
  std::int64_t ring;  ///< rows in memory at a time: row r is in slot r % ring; height if all are
};

/// An image of a tensor.
Source image_of(const ConstTensor& x, std::int64_t image);

/// Output of a stage.
struct Target {
  float* data;
  std::int64_t row, pixel;
};

/// Packs for the instruction set in use. Throws std::invalid_argument when sizes are out of range.
PackedDepthwise checked_pack(const DepthwiseFilter& filter, const ConvOptions& options);
PackedMatrix checked_pack(const PointwiseFilter& filter);

/// Throws std::invalid_argument when weights are missing or exceed any memory.
void check_weights(const void* weights, std::initializer_list<std::int64_t> sizes);

/// Throws std::invalid_argument unless the types of a filter are supported.
template <class Filter>
void check_types(const Filter& f) {
  check_type("weights", f.dtype, f.quantization);
  check_type("bias", f.bias_dtype, nullptr);
}

/// Throws std::invalid_argument when weights were packed for vectors other than those of the instruction set in use.
void check_lanes(int lanes);

/// Those of `height` input rows that output rows read.
Range input_rows(const Geometry& g, std::int64_t height, Range out);

/// The members of a work that depend on the geometry: the filter's parameters and the width of the output.
template <class Work>
void set_filter(Work& w, const Geometry& g) {
  w.kh = g.kh;
  w.kw = g.kw;
  w.stride_h = g.stride_h;
  w.stride_w = g.stride_w;
  w.dilation_h = g.dilation_h;
  w.dilation_w = g.dilation_w;
  w.pad_top = g.pad_top;
  w.pad_left = g.pad_left;
  w.out_width = g.out_w;
}

class DepthwiseStage {
 public:
  /// Throws std::invalid_argument when the options are out of range, or the weights were packed for other vectors.
  DepthwiseStage(PackedDepthwise packed, const ConvOptions& options, const Activation& activation);

  Geometry geometry(const Shape& x) const { return resolve(options_, packed_.kh, packed_.kw, x); }
  /// Computes a work. A dilated convolution without stride is a convolution of its own on every dilation-th row and column.
  void run(const DepthwiseWork& w) const;
  /// The work for one image; rows, vectors and y are the caller's to narrow. y is row 0 of the image.
  DepthwiseWork work(const Geometry& g, const Source& x, const Target& y) const;
  const PackedDepthwise& packed() const { return packed_; }
  std::string kernel_name() const;
  double flops(const Geometry& g, std::int64_t images) const;
  double weight_bytes() const;

 private:
  PackedDepthwise packed_;
  ConvOptions options_;
  Activation activation_;
  const KernelEntry* kernel_;           ///< for the options as they are
  const KernelEntry* sub_grid_kernel_;  ///< with dilation but no stride: for the undilated filter; null otherwise
};

class PointwiseStage {
 public:
  PointwiseStage(PackedMatrix packed, const Activation& activation);

  /// Rows [0, rows) of the product, all panels; the caller narrows and sets residual.
  GemmWork work(const float* a, std::int64_t a_row, float* y, std::int64_t y_row, std::int64_t rows) const;
  /// Computes a work, block by block; what each block reads from main memory is fetched before: the residual, and the input if asked for.
  void run(GemmWork w, bool fetch_input = false) const;
  /// Whether the tiles of a product can fetch its inputs and its output's rows: whole panels, with AVX2, the only one that was measured.
  bool fetches_far(const GemmWork& w) const;
  const PackedMatrix& packed() const { return packed_; }
  std::string kernel_name() const;
  double flops(double pixels) const;
  double weight_bytes() const;

 private:
  PackedMatrix packed_;
  Activation activation_;
};

/// The columns of a work's panels, of which the last may be wider than the others.
Range columns_of(const GemmWork& w, int lanes);
/// Times that slopes of few columns are repeated in memory: so many adjacent rows are then one. Rows of one vector took 4 ns each.
inline std::int64_t slope_repeats(std::int64_t columns) { return std::max<std::int64_t>(128 / columns, 1); }
/// Multiplies what is negative by the slope of its column.
void apply_slopes(const float* slopes, float* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns);
/// Rows of so many columns that are in the level-1 cache when slopes are applied to them.
std::int64_t slope_rows(std::int64_t columns);

/// A part of one image's output.
struct Area {
  Range rows, columns, vectors;
};

/// Narrows a work to an area of the output; y is the area's first pixel, at the channel 0 of its vector 0.
void set_area(DepthwiseWork& w, const Area& area, float* y);

/// Has a residual added before the activation: its first value belongs to w.y.
void set_residual(DepthwiseWork& w, const float* residual, std::int64_t row, std::int64_t pixel);

/// Calls f(image, rows, vectors) for one thread's part of a depthwise output: whole rows, and where rows divide unevenly some channels of
/// the row in between. (Not channels alone: threads that write neighbouring lines of every pixel took 2-4 times as long, the prefetchers
/// of one core fetching the lines that the other writes.) But an image of fewer rows than the filter is `low`: part of its rows takes as
/// long as all. With 5x5, 3x5 384 takes 14 us by rows, 7 by channels, as int8 15 and 8 (AMD EPYC, Zen 3, 2026-11-29).
/// Where `together` rows take as long as one of them and all rows are such groups, a thread gets whole groups, and some channels of one:
/// of 14x14x512 as int8 two threads did 1.69 times the work of one in its time, so 1.88 (Zen 3, 2026-11-30).
template <class F>
void for_each_rows(std::int64_t images, std::int64_t height, std::int64_t vectors, int part, int parts, const F& f, bool low = false,
                   std::int64_t together = 1) {
  if (parts == 1 || (low && images < parts && vectors >= 2 * parts)) {
    const Range mine = part_of(vectors, part, parts);
    for (std::int64_t image = 0; image < images && mine.begin < mine.end; ++image) f(image, Range{0, height}, mine);
    return;
  }
  if (height % together != 0) together = 1;  // the row that is alone takes less: 5x5 on 5x5x2048 1.89, by groups 1.65
  const std::int64_t groups = height / together, rows = images * groups;
  // From 16 rows a thread, the one row that some have more than others is 1/17 of their time at most: not worth cutting rows for.
  const bool even = rows % parts == 0 || rows >= 16 * parts;
  // A boundary lies at a row, and in that row at a vector: the vectors before it belong to the thread before.
  const std::int64_t unit = even ? 1 : vectors;
  // Of many vectors at whole pairs of lines, as threads would wait for each other's lines.
  const std::int64_t grain = unit >= 16 ? 4 : 1;
  const auto place = [&](int i) {
    const std::int64_t at = rows * unit * i / parts, v = at % unit;
    return at - v + std::min((v + grain / 2) / grain * grain, unit);
  };
  const std::int64_t begin = place(part), end = place(part + 1);
  const auto rows_of = [&](Range v) {
    const Range mine{begin / unit + (v.begin < begin % unit ? 1 : 0), end / unit + (v.begin < end % unit ? 1 : 0)};
    for (std::int64_t row = mine.begin; row < mine.end && v.begin < v.end;) {
      const std::int64_t image = row / groups, first = row % groups, last = std::min(groups, first + mine.end - row);
      f(image, Range{first * together, last * together}, v);
      row += last - first;
    }
  };
  const std::int64_t cut = even ? 0 : std::min(begin % unit, end % unit), other = even ? 0 : std::max(begin % unit, end % unit);
  rows_of({0, cut});
  rows_of({cut, other});
  rows_of({other, vectors});
}

/// See for_each_rows. Of wide images threads would write next to each other too often.
inline bool is_low(const Geometry& g) { return g.out_h < g.kh && g.out_h * g.out_w <= 32; }

/// Calls f(image, rows) for pieces of at most `most` rows, of the rows [mine) of images of so many rows, counted over all images.
template <class F>
void for_each_piece(Range mine, std::int64_t height, std::int64_t most, const F& f) {
  for (std::int64_t row = mine.begin; row < mine.end;) {
    const std::int64_t image = row / height, first = row % height, count = std::min({most, mine.end - row, height - first});
    f(image, Range{first, first + count});
    row += count;
  }
}

/// for_each_rows of a team's rank, where the call has many rows by pieces that threads take of each other: `least` rows are worth a piece.
template <class F>
void share_rows(Team& team, std::int64_t images, std::int64_t height, std::int64_t vectors, std::int64_t least, const F& f,
                bool low = false, std::int64_t together = 1) {
  constexpr std::int64_t kTile = 4;
  const std::int64_t rows = images * height;  // cut from four pieces on, as by Team::share
  if (team.size() == 1 || height < kTile || rows < 4 * std::max(least, kTile) * team.size()) {
    return for_each_rows(images, height, vectors, team.rank(), team.size(), f, low, together);
  }
  team.share(ceil_div(rows, kTile), ceil_div(least, kTile), 1, [&](std::int64_t begin, std::int64_t end) {
    for_each_piece({begin * kTile, std::min(end * kTile, rows)}, height, height, [&](std::int64_t image, Range part) {
      f(image, part, Range{0, vectors});
    });
  });
}

/// Pixels of products, by pieces that threads take of each other: `least` are worth one.
template <class F>
void share_pixels(Team& team, std::int64_t pixels, std::int64_t least, const F& f) {
  constexpr std::int64_t kTile = 12;  // a multiple of the rows of most tiles
  team.share(pixels, std::max(least, 2 * kTile), kTile, f);
}

/// Pixels walked for a panel of weights before the next panel: as many as keep the block's inputs in the level-2 cache.
std::int64_t gemm_block_rows(std::int64_t k);

/// Whether threads should share the pixels and divide the panels: when the weights are by far the larger operand, so that each thread
/// streams only its part of them, and the panels divide evenly; or when there are too few pixels to divide.
PanelSizes columns_of(const PackedMatrix& b);
/// `rows` are what the pixels may be divided in.
bool split_by_panels(const PanelSizes& c, std::int64_t pixels, std::int64_t rows, int threads);

}  // namespace dwsep::runtime
