// A block whose threads take blocks of output rows: the depthwise output of a block goes to scratch, where the projection reads it from
// cache.
#include <algorithm>

#include "runtime/layers/block.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep::runtime {

void Block::run_rows(const Team& team, const Call& c, const Layout& l) const {
  const Ring ring = l.ring_of(team.rank());
  float* const output = l.output[team.rank()];
  RingState state;
  for_each_piece(part_of(c.x.shape.n * c.g.out_h, team.rank(), team.size()), c.g.out_h, l.block.rows, [&](std::int64_t image, Range rows) {
    fill_ring(c, image, rows, ring, &state);
    run_depthwise(c, source_of(c, ring), {rows, {0, c.g.out_w}, all_vectors()}, output, l.pixel);
    const Range pixels{rows.begin * c.g.out_w, rows.end * c.g.out_w};
    run_projection(c, image, pixels, all_panels(), {output - pixels.begin * l.pixel, l.pixel, &project_.packed().whole, 1});
  });
}

void Block::run_unexpanded_rows(const Team& team, const Call& c, const Layout& l) const {
  float* const output = l.output[team.rank()];
  const bool streams = exceeds_caches(tensor_bytes(c.x.shape) + tensor_bytes(c.y.shape), c.x, c.y);
  bool continued = false;
  // The product of an area: whole rows at once, parts of rows one by one.
  const auto project = [&](std::int64_t image, const Area& area) {
    const std::int64_t width = area.columns.end - area.columns.begin, row = c.g.out_w;
    const std::int64_t step = width == row ? area.rows.end - area.rows.begin : 1;
    for (std::int64_t r = area.rows.begin; r < area.rows.end; r += step) {
      const std::int64_t first = r * row + area.columns.begin;
      float* const pixel_0 = output + ((r - area.rows.begin) * width - first) * l.pixel;
      run_projection(c, image, {first, first + step * width}, all_panels(), {pixel_0, l.pixel, &project_.packed().whole, 1});
    }
  };
  const auto run_area = [&](std::int64_t image, Range rows, Range columns) {
    // 147x147 128->128 takes 7700 instead of 9150 us with its input fetched.
    if (streams) fetch(rows_to_fetch(c.g, c.x, image, rows, continued && rows.begin > 0));
    continued = true;
    for (std::int64_t first = columns.begin; first < columns.end; first += l.block.columns) {
      const Area area{rows, {first, std::min(first + l.block.columns, columns.end)}, all_vectors()};
      run_depthwise(c, image_of(c.x, image), area, output, l.pixel);
      project(image, area);
    }
  };
  // Few rows that do not divide evenly, as 19 among 2 threads, are cut between groups of columns. From 32 rows a thread, the one row that
  // some have more is 1/33 of their time at most.
  constexpr std::int64_t kColumns = 4;
  const std::int64_t height = c.g.out_h, width = c.g.out_w, all_rows = c.x.shape.n * height;
  const bool even = all_rows % team.size() == 0 || all_rows >= 32 * team.size();
  const std::int64_t groups = even ? 1 : ceil_div(width, kColumns);
  const Range mine = part_of(all_rows * groups, team.rank(), team.size());
  for (std::int64_t at = mine.begin; at < mine.end;) {
    const std::int64_t image = at / groups / height, row = at / groups % height, group = at % groups;
    if (group > 0 || mine.end - at < groups) {
      const std::int64_t last = std::min(groups, group + mine.end - at);
      run_area(image, {row, row + 1}, {group * kColumns, last == groups ? width : last * kColumns});
      at += last - group;
    } else {
      const std::int64_t rows = std::min({l.block.rows, (mine.end - at) / groups, height - row});
      run_area(image, {row, row + rows}, {0, width});
      at += rows * groups;
    }
  }
}

}  // namespace dwsep::runtime
