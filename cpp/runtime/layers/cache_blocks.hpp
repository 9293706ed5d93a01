// How the fused operators cut an image, so that what lies between their stages stays in cache.
#pragma once

#include <cstdint>

#include "runtime/layers/geometry.hpp"
#include "runtime/memory/scratch.hpp"

namespace dwsep::runtime {

/// Output rows x columns computed at a time.
struct CacheBlock {
  std::int64_t rows, columns;
};

/// Depthwise kernels share inputs among so many rows.
constexpr std::int64_t kTileRows = 4;

/// The largest block of whole rows whose depthwise output (`pixel` bytes a pixel) stays within the budget; parts of rows where even two
/// rows would not.
CacheBlock choose_cache_block(const Geometry& g, std::int64_t pixel, std::int64_t budget);

/// Bytes of the level-2 cache that an intermediate tensor may take.
std::int64_t cache_budget();

/// The same for the depthwise output of a separable convolution, next to which its product's weights pass through the cache.
std::int64_t separable_budget();

/// Elements between the pixels of a scratch tensor: whole cache lines, and never a multiple of 2 KB, which would map an image to two sets
/// of the level-1 cache.
template <class T>
std::int64_t scratch_pixel(std::int64_t channels) {
  const std::int64_t pixel = round_up(bytes_of<T>(channels), kLineBytes);
  return (pixel % 2048 == 0 ? pixel + kLineBytes : pixel) / static_cast<std::int64_t>(sizeof(T));
}

}  // namespace dwsep::runtime
