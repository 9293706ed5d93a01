// How a standard convolution goes through its output: areas of positions, and in each the sum block by block of taps, or at once.
#pragma once

#include "kernels/standard_work.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/layers/packing.hpp"

namespace dwsep::runtime {

struct StandardAreas {
  std::int64_t rows, columns;               ///< of positions at a time
  std::int64_t block_taps, block_channels;  ///< StandardWork's
  std::int64_t planes;                      ///< floats of scratch where lanes are positions, else 0
  std::int64_t padded;                      ///< floats of the image with zeros around it, else 0
};

/// Floats that the level-2 cache keeps beside other data.
std::int64_t cached_floats();

/// Output rows that fit them, of planes with rows of so many floats in the input and in the output.
std::int64_t rows_that_fit(const Geometry& g, const Shape& x, std::int64_t x_row, std::int64_t y_row);

/// Of positions as lanes, of one panel of `columns` with `width` floats; nothing where rows are too short, or too many floats.
StandardAreas plane_areas(const Geometry& g, std::int64_t channels, std::int64_t columns);

/// Of an input of so many rows and pixels with `channels` of them summed up; `spread` if outputs of a position may be stored apart, `zeros`
/// if there may be some around it.
StandardAreas standard_areas(const Geometry& g, const Shape& x, std::int64_t channels, const PackedMatrix& matrix, bool spread,
                             bool zeros = false);

/// Of `count` groups with such panels those that each tile of positions meets one after the other, or 0; `inputs` of all of them.
std::int64_t groups_at_once(const Geometry& g, const StandardAreas& areas, const PackedMatrix& matrix, std::int64_t count,
                            std::int64_t inputs);

/// The scratch of one thread.
struct StandardScratch {
  PerThread<Segment> segments;
  PerThread<float> sums, planes;
};
StandardScratch standard_scratch(const Geometry& g, const StandardAreas& areas, const PackedMatrix& matrix, bool spread, int threads,
                                 Scratch& s);

/// Output rows of which the inputs of each of several groups are put side by side in scratch, before the next rows, or 0: a line or two of
/// a pixel lie a page from the next, and share few sets of a cache. 28x28x512 in 32 groups takes 0.6 to 0.77 of the time, 56x56x256 in 16
/// half of it; images that the level-2 cache has 1.00 to 1.05 (AMD EPYC, Zen 3, AVX2, 2026-11-29; AVX-512 was not timed).
std::int64_t apart_rows(const Geometry& g, const Shape& x, std::int64_t channels);
/// Makes `pixels` the input of a work of one group, for output rows [rows.begin, rows.end).
void put_apart(StandardWork& work, Range rows, float* pixels);

/// Computes the areas of output rows [rows.begin, rows.end) of one image, of a work that is set up for all of it.
void run_standard(const StandardWork& work, const StandardAreas& areas, Range rows);

}  // namespace dwsep::runtime
