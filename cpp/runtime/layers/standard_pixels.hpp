// Standard convolutions of one tap: matrix products of pixels as they lie, or of those that a stride reads, side by side in scratch.
#pragma once

#include "kernels/standard_work.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/layers/packing.hpp"

namespace dwsep::runtime {

/// Whether outputs [rows) are those of the pixels at the same places.
bool pixel_by_pixel(const StandardWork& work, Range rows);
void run_pixels(const StandardWork& work, Range rows);

/// Of a stride: as they lie, pixels are a power of two apart, often enough, and share few sets of a cache: 14x14 1024->2048 with stride 2
/// takes 1.11 of the time.
bool gathering_pays(const Geometry& g, const Shape& x, std::int64_t channels, std::int64_t panels);
/// Of as many pixels as a product walks at a time.
std::int64_t gathered_floats(const Geometry& g, std::int64_t channels);
void run_gathered(const StandardWork& work, Range rows, const PackedMatrix& matrix, float* gathered);

}  // namespace dwsep::runtime
