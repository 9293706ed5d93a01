// How the fused operators cut an image, so that what lies between their stages stays in cache.
#pragma once

#include <cstdint>

#include "runtime/layers/geometry.hpp"

namespace dwsep::runtime {

/// Output rows x columns computed at a time.
struct Block {
  std::int64_t rows, columns;
};

/// The largest block of whole rows whose depthwise output (`channels` floats a pixel) stays within the budget; parts of rows where even a
/// few rows would not.
Block choose_block(const Geometry& g, std::int64_t channels, std::int64_t budget_floats);

/// Bytes of the level-2 cache that an intermediate tensor may take, as a number of floats.
std::int64_t cache_budget_floats();

/// Pixel stride for a scratch tensor: whole cache lines, and never a multiple of 2 KB, which would map an image to two sets of the
/// level-1 cache.
std::int64_t scratch_pixel(std::int64_t channels);

}  // namespace dwsep::runtime
