#include "runtime/layers/cache_blocks.hpp"

#include <algorithm>

#include "dwsep/cpu.hpp"

namespace dwsep::runtime {

CacheBlock choose_cache_block(const Geometry& g, std::int64_t pixel, std::int64_t budget) {
  constexpr std::int64_t kTileRows = 4, kLeastColumns = 16;
  const std::int64_t row = product({g.out_w, pixel});
  if (const std::int64_t rows = budget / std::max<std::int64_t>(row, 1); rows >= kTileRows || rows >= g.out_h) {
    return {std::min(rows / kTileRows * kTileRows + (rows < kTileRows ? rows : 0), std::max<std::int64_t>(g.out_h, 1)), g.out_w};
  }
  const std::int64_t columns = budget / kTileRows / pixel / 4 * 4;
  return {std::min(kTileRows, g.out_h), std::clamp(columns, std::min(kLeastColumns, g.out_w), g.out_w)};
}

std::int64_t cache_budget() { return cache_sizes().l2 / 4; }

}  // namespace dwsep::runtime
