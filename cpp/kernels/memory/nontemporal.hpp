// Copies with non-temporal stores: the caches neither read the lines that are written nor evict others for them.
#pragma once

#include "kernels/memory_work.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Partial cache lines at the ends use ordinary stores.
[[gnu::flatten, gnu::noinline]] inline void copy_nontemporal(const NontemporalCopyWork& w) {
  const float* const x = w.x;
  const std::int64_t count = w.count;
  float* const y = w.y;
  constexpr std::int64_t kLineFloats = 16;
  const auto usual = [&](std::int64_t from, std::int64_t to) {
    for (; from + kLanes <= to; from += kLanes) store(y + from, load(x + from));
    if (const int rest = static_cast<int>(to - from); rest > 0) store_first(y + from, load_first(x + from, rest), rest);
  };
  const auto past = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(y) / sizeof(float)) % kLineFloats;
  const std::int64_t first = past == 0 ? 0 : kLineFloats - past < count ? kLineFloats - past : count;
  const std::int64_t end = first + (count - first) / kLineFloats * kLineFloats;
  usual(0, first);
  // Reads of main memory wait for their latency, writes for its width: both together take half of what one after the other does.
  const float *next = w.next, *const next_end = next + w.next_count;
  const std::int64_t each = end > first ? (w.next_count + end - first - 1) / (end - first) * kLineFloats : 0;
  for (std::int64_t i = first; i < end; i += kLineFloats) {
    for (const float* const stop = next_end - next < each ? next_end : next + each; next < stop; next += kLineFloats)
      __builtin_prefetch(next);
    unroll<0, kLineFloats / kLanes>([&](auto v) { store_nontemporal(y + i + v * kLanes, load(x + i + v * kLanes)); });
  }
  usual(end, count);
  fence_nontemporal();
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
