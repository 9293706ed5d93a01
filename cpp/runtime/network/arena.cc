#include "runtime/network/arena.hpp"

#include <algorithm>
#include <numeric>

namespace dwsep::runtime {
namespace {

constexpr std::int64_t kPage = 4096, kDistance = 896;

/// Output and input should not be a multiple of 512 bytes apart modulo a page, or loads wait for stores to other
/// addresses (docs/design.md, Results, has figures). Values of steps in a row start 896 bytes apart.
std::int64_t aligned(std::int64_t offset, int step) {
  const std::int64_t at = offset / kPage * kPage + step * kDistance % kPage;
  return at >= offset ? at : at + kPage;
}

}  // namespace

std::int64_t place_in_arena(std::vector<Lifetime>& lifetimes) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  std::vector<const Lifetime*> placed;  // by offset
  std::int64_t size = 0;
  for (const std::size_t i : order) {
    Lifetime& l = lifetimes[i];
    std::int64_t at = aligned(0, l.begin);
    for (const Lifetime* p : placed) {
      if (p->end < l.begin || p->begin > l.end) continue;
      if (at + l.bytes <= p->offset) break;
      at = std::max(at, aligned(p->offset + p->bytes, l.begin));
    }
    l.offset = at;
    size = std::max(size, at + l.bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), &l, [](const Lifetime* a, const Lifetime* b) { return a->offset < b->offset; }), &l);
  }
  return size;
}

}  // namespace dwsep::runtime
