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
  static constexpr int kMostSharing = 8;  ///< each looks at the pieces of all others: 0.1 us of each

  /// A team of one.
  Team() = default;
  Team(int rank, int size, TeamBarrier& barrier, Pace pace, std::uint64_t sharing = 0) noexcept
      : rank_(rank), size_(size), pace_(pace), sharing_(sharing), barrier_(&barrier) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  std::uint64_t sharing() const noexcept { return sharing_; }

  /// Returns once every thread of the team has called it as often as this one; what they wrote before is visible.
  void barrier() noexcept {
    if (size_ > 1) wait_for_team();
  }

  /// Calls f(begin, end) for parts of [0, total), which the threads of the team do together; all of them call it alike. A thread has an
  /// equal share and takes it in pieces of a half, a quarter and so on; who is done takes pieces that others have not begun. Shares of
  /// four pieces of `least` have three pieces, of eight four, shorter ones one. Pieces begin at multiples of `tile` in their share. Whoever
  /// uses what another thread did needs a barrier, as ever, also for the same part.
  template <class F>
  void share(std::int64_t total, std::int64_t least, std::int64_t tile, const F& f) {
    const auto part = [&](int rank) { return total * rank / size_; };
    const std::int64_t each = total / size_;  // 14 layers take 1.01 with half of 4 and 8, 1.04 with twice, 1.04 without pieces (Zen 3)
    if (size_ == 1 || size_ > kMostSharing || each < 4 * least) return f(part(rank_), part(rank_ + 1));
    begin_sharing();
    const int last = each < 8 * least ? 2 : 3;
    for (int i = 0; i < size_; ++i) {
      const int owner = (rank_ + i) % size_;
      const std::int64_t begin = part(owner), length = part(owner + 1) - begin;
      const auto at = [&](int piece) { return begin + (piece > last ? length : (length - (length >> piece)) / tile * tile); };
      for (int piece; (piece = take_piece(owner, last)) <= last;) f(at(piece), at(piece + 1));
    }
  }

 private:
  void wait_for_team() noexcept;
  void begin_sharing() noexcept;
  /// The next piece of a share; last + 1 where all are taken.
  int take_piece(int owner, int last) noexcept;

  int rank_ = 0;
  int size_ = 1;
  Pace pace_{};
  bool shared_ = false;  ///< since the last barrier
  std::uint32_t goal_ = 0;
  std::uint64_t sharing_ = 0;  ///< the number of the last call of share, in the life of the pool
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
