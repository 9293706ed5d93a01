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
};

/// Of an input of so many rows and pixels with `channels` of them summed up; `spread` if outputs of a position may be stored apart.
StandardAreas standard_areas(const Geometry& g, const Shape& x, std::int64_t channels, const PackedMatrix& matrix, bool spread);

/// The scratch of one thread.
struct StandardScratch {
  PerThread<Segment> segments;
  PerThread<float> sums, planes;
};
StandardScratch standard_scratch(const Geometry& g, const StandardAreas& areas, const PackedMatrix& matrix, bool spread, int threads,
                                 Scratch& s);

/// Computes the areas of output rows [rows.begin, rows.end) of one image, of a work that is set up for all of it.
void run_standard(const StandardWork& work, const StandardAreas& areas, Range rows);

}  // namespace dwsep::runtime
