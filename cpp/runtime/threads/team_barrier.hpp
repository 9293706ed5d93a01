// The barrier of a running team.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/threads/spin.hpp"

namespace dwsep::runtime {

class TeamBarrier {
 public:
  /// Only while no thread is in the barrier.
  void reset() noexcept { word_.store(0, std::memory_order_relaxed); }

  /// Returns once `size` threads have come as often as this one. `goal` is this thread's own, 0 after a reset.
  void arrive_and_wait(std::uint32_t& goal, int size, Pace pace) noexcept;

 private:
  // Twice the number of arrivals, plus kSleeper once a thread sleeps on the word. One word that only grows is both
  // counter and signal, so a barrier of two threads moves one cache line; comparisons survive its wrap-around.
  std::atomic<std::uint32_t> word_{0};
};

}  // namespace dwsep::runtime
