#include "runtime/layers/cache_blocks.hpp"

#include <algorithm>

#include "dwsep/cpu.hpp"

namespace dwsep::runtime {

CacheBlock choose_cache_block(const Geometry& g, std::int64_t pixel, std::int64_t budget) {
  // Fewer pixels would have the product read its weights, from the level-3 cache perhaps, for a few tiles each time: 19x19 728->728 takes
  // 7,000 us in runs of 16 pixels, 4,400 in runs of 76 (Zen 3, 2026-11-29).
  constexpr std::int64_t kLeastRun = 64;
  const std::int64_t rows = budget / std::max<std::int64_t>(product({g.out_w, pixel}), 1);
  if (rows >= g.out_h) return {std::max<std::int64_t>(g.out_h, 1), g.out_w};
  if (rows >= kTileRows) return {rows / kTileRows * kTileRows, g.out_w};
  if (rows > 1) return {rows, g.out_w};
  const std::int64_t parts = std::clamp<std::int64_t>(budget / pixel / kLeastRun, 1, std::min(kTileRows, g.out_h));
  const std::int64_t columns = budget / parts / pixel / 4 * 4;
  return {parts, std::clamp(columns, std::min(kLeastRun / 4, g.out_w), g.out_w)};
}

std::int64_t cache_budget() { return cache_sizes().l2 / 4; }

std::int64_t separable_budget() {
  const std::int64_t l2 = cache_sizes().l2;
  return std::clamp<std::int64_t>(256 * 1024, l2 / 4, l2 / 2);
}

}  // namespace dwsep::runtime
