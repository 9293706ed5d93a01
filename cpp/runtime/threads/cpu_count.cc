#include "runtime/threads/cpu_count.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <optional>
#include <thread>

#include "runtime/threads/cgroup_quota.hpp"
#include "runtime/threads/clock.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace dwsep::runtime {
namespace {

constexpr int kUnlimited = 1 << 20;

int affinity_cpus() noexcept {
#if defined(__linux__)
  // One cpu_set_t holds 1024 CPUs, and the call fails on a machine that has more.
  std::array<cpu_set_t, 64> mask;
  if (sched_getaffinity(0, sizeof(mask), mask.data()) == 0) return CPU_COUNT_S(sizeof(mask), mask.data());
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

int quota_cpus() {
  const std::optional<double> quota = cgroup_cpu_quota();
  if (!quota || *quota >= kUnlimited) return kUnlimited;
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

// The quota belongs to the process and costs a few file reads, so all threads share one answer. Of two threads that find
// it stale while it changes, the slower one may store the old quota again, for another second.
int cached_quota_cpus(std::int64_t now) noexcept {
  static std::atomic<std::int64_t> stale_at{0};
  static std::atomic<int> cpus{kUnlimited};
  if (now >= stale_at.load(std::memory_order_acquire)) {
    try {
      cpus.store(quota_cpus(), std::memory_order_relaxed);
    } catch (const std::exception&) {  // out of memory or descriptors: keep the last answer
    }
    stale_at.store(now + kSecond, std::memory_order_release);
  }
  return cpus.load(std::memory_order_relaxed);
}

/// Per thread, kept for a second: the mask belongs to the thread, so a pinned thread must not answer for others.
struct Own {
  std::int64_t stale_at = 0;
  int cpus = 1;
  CpuMask mask;
};

const Own& own(std::int64_t now) noexcept {
  thread_local Own kept;
  if (now >= kept.stale_at) {
    kept.cpus = affinity_cpus();
    kept.mask = own_mask();
    kept.stale_at = now + kSecond;
  }
  return kept;
}

}  // namespace

int available_cpus() noexcept {
  const std::int64_t now = coarse_now();
  return std::max(1, std::min(own(now).cpus, cached_quota_cpus(now)));
}

const CpuMask& available_mask() noexcept { return own(coarse_now()).mask; }

}  // namespace dwsep::runtime
