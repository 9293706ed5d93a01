// A block image by image, its expanded channels divided among threads: each expands a panel of them, whole images of it, which stays in
// cache for the depthwise convolution.
#include <algorithm>
#include <array>

#include "runtime/layers/block.hpp"

namespace dwsep::runtime {

void Block::run_channels(Team& team, const Call& c, const Layout& l) const {
  const PackedMatrix& e = expand_->packed();
  std::array<Segment, kMaxParts> segments;
  for (int i = 0; i < team.size(); ++i) {
    const Range v = vectors_of(part_of(e.panels, i, team.size()));
    const std::int64_t first = v.begin * e.lanes;
    segments[static_cast<std::size_t>(i)] = {l.output[i] - l.output[0], first, std::min(v.end * e.lanes, e.columns) - first};
  }
  const DepthwiseOutput output{l.output[0], l.pixel, segments.data(), team.size()};
  const Range panels = part_of(e.panels, team.rank(), team.size());
  const std::int64_t at_once = panels_at_once(c.x.shape);
  const Ring ring = l.ring_of(team.rank());
  float* const mine = l.output[team.rank()] - vectors_of(panels).begin * e.lanes;  // at the channel 0 that it would have
  for (std::int64_t image = 0; image < c.x.shape.n; ++image) {
    if (image > 0) team.barrier();  // until all threads have read the previous image
    for (std::int64_t p = panels.begin; p < panels.end; p += at_once) {
      const Range part{p, std::min(p + at_once, panels.end)}, vectors = vectors_of(part);
      run_expand(c, image, {0, c.x.shape.h}, part, vectors.begin, ring);
      run_depthwise(c, source_of(c, ring, vectors.begin), {{0, c.g.out_h}, {0, c.g.out_w}, vectors}, mine, l.pixel, l.excite);
    }
    team.barrier();
    project_image(team, c, image, output, l);
  }
}

}  // namespace dwsep::runtime
