#include "runtime/layers/blocks.hpp"

#include <algorithm>

#include "dwsep/cpu.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep::runtime {

Block choose_block(const Geometry& g, std::int64_t channels, std::int64_t budget_floats) {
  constexpr std::int64_t kTileRows = 4, kLeastColumns = 16;
  const std::int64_t row = product({g.out_w, channels});
  if (const std::int64_t rows = budget_floats / std::max<std::int64_t>(row, 1); rows >= kTileRows || rows >= g.out_h) {
    return {std::min(rows / kTileRows * kTileRows + (rows < kTileRows ? rows : 0), std::max<std::int64_t>(g.out_h, 1)), g.out_w};
  }
  const std::int64_t columns = budget_floats / kTileRows / channels / 4 * 4;
  return {std::min(kTileRows, g.out_h), std::clamp(columns, std::min(kLeastColumns, g.out_w), g.out_w)};
}

std::int64_t cache_budget_floats() { return cache_sizes().l2 / 4 / static_cast<std::int64_t>(sizeof(float)); }

std::int64_t scratch_pixel(std::int64_t channels) {
  const std::int64_t pixel = round_up(channels, kLineFloats);
  return pixel % 512 == 0 ? pixel + 16 : pixel;
}

}  // namespace dwsep::runtime
