#include "runtime/cpu_count.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/cgroup_quota.hpp"
#include "runtime/clock.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace dwsep::runtime {
namespace {

constexpr int kUnlimited = 1 << 20;

int affinity_cpus() {
#if defined(__linux__)
  // One cpu_set_t holds 1024 CPUs; the call fails on a machine that has more, so widen until it does not.
  for (std::size_t sets = 1; sets <= 64; sets *= 2) {
    std::vector<cpu_set_t> mask(sets);
    const std::size_t bytes = sets * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

int quota_cpus() {
  const std::optional<double> quota = cgroup_cpu_quota();
  if (!quota || *quota >= kUnlimited) return kUnlimited;
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

// The quota belongs to the process and costs a few file reads, so all threads share one answer. Two
// threads that find it stale both refresh it, to the same value.
int cached_quota_cpus(std::int64_t now) {
  static std::atomic<std::int64_t> stale_at{0};
  static std::atomic<int> cpus{kUnlimited};
  if (now >= stale_at.load(std::memory_order_acquire)) {
    cpus.store(quota_cpus(), std::memory_order_relaxed);
    stale_at.store(now + kSecond, std::memory_order_release);
  }
  return cpus.load(std::memory_order_relaxed);
}

}  // namespace

int available_cpus() {
  // The mask belongs to the thread, so a pinned thread must not answer for the others.
  thread_local std::int64_t stale_at = 0;
  thread_local int cpus = 1;
  const std::int64_t now = coarse_now();
  if (now >= stale_at) {
    cpus = std::max(1, std::min(affinity_cpus(), cached_quota_cpus(now)));
    stale_at = now + kSecond;
  }
  return cpus;
}

}  // namespace dwsep::runtime
