// One small pool of threads for the process: parallel() runs a function on a team of them.
//
// Ranks are handed out and that is all: the body divides its work by rank and size, so results cannot depend on
// timing. The pool starts with the first team, lives until the process ends, and starts afresh in a forked child.
#pragma once

#include <cstdint>

#include "runtime/threads/cpu_count.hpp"
#include "runtime/threads/thread_count.hpp"

namespace dwsep::runtime {

class TeamBarrier;
enum class Pace;

/// A thread's view of its team: its rank (0 is the caller), the team's size, and a barrier.
class Team {
 public:
  /// A team of one.
  Team() = default;
  Team(int rank, int size, TeamBarrier& barrier, Pace pace) noexcept : rank_(rank), size_(size), pace_(pace), barrier_(&barrier) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }

  /// Returns once every thread of the team has called it as often as this one; what they wrote before is visible.
  void barrier() noexcept {
    if (size_ > 1) wait_for_team();
  }

 private:
  void wait_for_team() noexcept;

  int rank_ = 0;
  int size_ = 1;
  Pace pace_{};
  std::uint32_t goal_ = 0;
  TeamBarrier* barrier_ = nullptr;
};

namespace detail {

/// A type-erased body.
struct Task {
  void (*call)(const void* body, Team& team) noexcept = nullptr;
  const void* body = nullptr;
};

void run(int threads, Task task) noexcept;

}  // namespace detail

/// Runs body(Team&) once on each of `threads` threads, the caller included, and returns when all are done.
///
/// The team may be smaller than asked for, so the body divides its work by team.size(): it is 1 inside another
/// parallel region and when another caller has the pool, and less than `threads` when threads cannot be started.
/// The body must not throw: an exception that leaves it ends the process. It must not fork, and has 1 MB of stack.
template <class Body>
void parallel(int threads, const Body& body) {
  const auto call = [](const void* erased, Team& team) noexcept { (*static_cast<const Body*>(erased))(team); };
  detail::run(threads, detail::Task{call, &body});
}

}  // namespace dwsep::runtime
