#include "runtime/threads/thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <type_traits>

#include "runtime/memory/placement.hpp"
#include "runtime/threads/clock.hpp"
#include "runtime/threads/float_environment.hpp"
#include "runtime/threads/park.hpp"
#include "runtime/threads/spin.hpp"
#include "runtime/threads/start_thread.hpp"
#include "runtime/threads/team_barrier.hpp"

namespace dwsep::runtime {
namespace {

// Two cache lines: the prefetcher of x86 fetches lines in pairs.
constexpr std::size_t kApart = 128;

// Set while this thread runs a body, whatever the size of its team.
thread_local bool inside_region = false;

void run_body(const detail::Task& task, Team& team) noexcept {
  const bool nested = inside_region;
  inside_region = true;
  const FloatEnvironment defaults;
  task.call(task.body, team);
  inside_region = nested;
}

void run_alone(const detail::Task& task) noexcept {
  Team team;
  run_body(task, team);
}

/// Pieces taken of a thread's share, beside the number of the call of share times eight: nobody has to reset it.
struct alignas(kApart) Share {
  std::atomic<std::uint64_t> taken{0};
};
std::array<Share, Team::kMostSharing> shares;

/// The description of a region for a worker.
struct Region {
  detail::Task task;
  TeamBarrier* barrier = nullptr;
  int size = 0;
  int caller_cpu = -1;
  bool crowded = false;
  std::uint32_t mask = 0;  ///< the id of the caller's
  std::uint64_t sharing = 0;
};

/// One worker and the cache line through which the caller talks to it. The word is at once the signal to start, the
/// signal that the worker is done, and what either of the two sleeps on.
class alignas(kApart) Worker {
 public:
  /// The caller's side: hands out the region; only while the worker has none. Returns whether the worker may be waiting
  /// for the caller's CPU.
  bool start(int rank, const Region& region) noexcept {
    rank_ = rank;
    region_ = region;
    const bool shared = pace_ == Pace::kShared;
    if (word_.exchange(kRun, std::memory_order_acq_rel) != kParked) return shared;
    unpark_all(word_);
    return true;
  }

  /// The caller's side: returns when the worker is done with the region.
  void join(Pace pace) noexcept {
    Spinner spinner(pace);
    while (running(word_.load(std::memory_order_acquire))) {
      if (spinner.again()) continue;
      std::uint32_t word = kRun;
      if (word_.compare_exchange_strong(word, kRunAwaited, std::memory_order_relaxed) || word == kRunAwaited) {
        park_while(word_, kRunAwaited);
      }
    }
  }

  /// The worker's side: one region after the other, for ever. `mask` is the caller's while a region is handed out.
  [[noreturn]] void serve(const CpuMask& mask) noexcept {
    for (;;) {
      wait_for_region();
      if (region_.mask != mask_) {
        adopt(mask);
        mask_ = region_.mask;
      }
      pace_ = region_.crowded ? Pace::kCrowded : leave_caller();
      Team team(rank_, region_.size, *region_.barrier, pace_, region_.sharing);
      run_body(region_.task, team);
      if (word_.exchange(kIdle, std::memory_order_acq_rel) == kRunAwaited) unpark_all(word_);
    }
  }

  /// In the child of a fork, where the thread no longer exists.
  void forget() noexcept {
    word_.store(kIdle, std::memory_order_relaxed);
    pace_ = Pace::kAlone;
    mask_ = 0;
  }

 private:
  enum Word : std::uint32_t {
    kIdle,        // no region; the worker polls
    kParked,      // no region; the worker sleeps
    kRun,         // has a region
    kRunAwaited,  // has a region, and the caller sleeps until it is done
  };

  static bool running(std::uint32_t word) noexcept { return word == kRun || word == kRunAwaited; }

  void wait_for_region() noexcept {
    Spinner spinner(pace_);
    while (!running(word_.load(std::memory_order_acquire))) {
      if (spinner.again()) continue;
      std::uint32_t word = kIdle;
      if (word_.compare_exchange_strong(word, kParked, std::memory_order_relaxed) || word == kParked) {
        park_while(word_, kParked);
      }
    }
  }

  // Linux often wakes a worker on its caller's CPU though others idle, and takes 10 to 50 ms, at worst over 400, to
  // spread the two; until then they alternate. Moving costs about 30 us. It is not retried at once, because
  // the other CPUs may be busy with other programs.
  Pace leave_caller() noexcept {
    if (current_cpu() != region_.caller_cpu || region_.caller_cpu < 0) return Pace::kAlone;
    const std::int64_t now = coarse_now();
    if (now < next_move_) return Pace::kShared;
    next_move_ = now + kSecond / 100;
    leave_cpu(region_.caller_cpu);
    return Pace::kAlone;
  }

  std::atomic<std::uint32_t> word_{kIdle};
  int rank_ = 0;
  Region region_;  // on the word's line, so that one transfer brings both
  Pace pace_ = Pace::kAlone;
  std::uint32_t mask_ = 0;  // the id of the one last adopted
  std::int64_t next_move_ = 0;
};

class Pool {
 public:
  void run(int threads, const detail::Task& task) noexcept {
    // A load first: callers that find the pool busy then do not write its cache line.
    if (busy_.load(std::memory_order_relaxed) != 0 || busy_.exchange(1, std::memory_order_acquire)) {
      run_alone(task);
      return;
    }
    run_team(1 + grow(threads - 1), task);
    busy_.store(0, std::memory_order_release);
  }

  /// In the child of a fork: no thread but the caller exists, whatever the pool was doing. Only stores, because a
  /// child may do little else until it calls exec.
  void forget() noexcept {
    for (int i = 0; i < started_; ++i) workers_[static_cast<std::size_t>(i)].forget();
    started_ = 0;
    next_attempt_ = 0;
    mask_ = {};                                                           // the fork may have cut its copying in two
    for (Share& s : shares) s.taken.store(0, std::memory_order_relaxed);  // of a call of which the child knows nothing
    busy_.store(0, std::memory_order_relaxed);
  }

 private:
  void run_team(int size, const detail::Task& task) noexcept {
    const CpuMask& mask = available_mask();
    if (mask.id != mask_.id) mask_ = mask;
    const Region region{task, &barrier_, size, current_cpu(), size > available_cpus(), mask_.id, sharing_};
    const auto first = workers_.begin();
    const auto last = first + (size - 1);
    barrier_.reset();
    int rank = 0;
    bool shared = false;
    std::for_each(first, last, [&](Worker& worker) { shared |= worker.start(++rank, region); });
    const Pace pace = region.crowded ? Pace::kCrowded : shared ? Pace::kShared : Pace::kAlone;
    Team team(0, size, barrier_, pace, sharing_);
    run_body(task, team);
    sharing_ = team.sharing();
    std::for_each(first, last, [&](Worker& worker) { worker.join(pace); });
  }

  // How many workers there are for a team that wants `wanted`, after starting those that are missing.
  int grow(int wanted) noexcept {
    if (started_ >= wanted) return wanted;
    // A failed attempt costs tens of microseconds, and its cause rarely disappears at once.
    const std::int64_t now = coarse_now();
    if (now < next_attempt_) return started_;
    while (started_ < wanted && start_thread(serve, &workers_[static_cast<std::size_t>(started_)])) ++started_;
    if (started_ < wanted) next_attempt_ = now + kSecond;
    return started_;
  }

  static void* serve(void* worker);

  alignas(kApart) std::atomic<int> busy_{0};  // not a bool: riscv64 exchanges no single bytes without another library
  int started_ = 0;                           // under busy_, like all that follows
  std::int64_t next_attempt_ = 0;             // when to try to start threads again
  std::uint64_t sharing_ = 0;                 // calls of Team::share until now
  CpuMask mask_;                              // of the last caller: workers that run elsewhere move there
  alignas(kApart) TeamBarrier barrier_;
  std::array<Worker, kMaxThreads - 1> workers_;
};

// Workers may still poll and sleep on these words while the process exits, so nothing is destroyed.
static_assert(std::is_trivially_destructible_v<Pool>);
Pool pool;

void* Pool::serve(void* worker) { static_cast<Worker*>(worker)->serve(pool.mask_); }

void forget_after_fork() {
  forget_parked();
  pool.forget();
}

// Registered when the library is loaded: at the first use a fork by another thread could slip in between.
const bool survives_fork = pthread_atfork(nullptr, nullptr, forget_after_fork) == 0;

}  // namespace

void Team::wait_for_team() noexcept {
  barrier_->arrive_and_wait(goal_, size_, pace_);
  shared_ = false;
}

// Nobody may begin another share while others are at this one: they take a word that is further on for one that is used up.
void Team::begin_sharing() noexcept {
  if (shared_) wait_for_team();
  shared_ = true;
  ++sharing_;
}

int Team::take_piece(int owner, int last) noexcept {
  std::atomic<std::uint64_t>& taken = shares[static_cast<std::size_t>(owner)].taken;
  std::uint64_t word = taken.load(std::memory_order_relaxed);
  for (;;) {
    const int piece = word / 8 == sharing_ ? static_cast<int>(word % 8) : 0;
    if (piece > last) return piece;
    if (taken.compare_exchange_weak(word, 8 * sharing_ + static_cast<std::uint64_t>(piece) + 1, std::memory_order_relaxed)) return piece;
  }
}

void detail::run(int threads, Task task) noexcept {
  if (threads > 1 && !inside_region && survives_fork) {
    pool.run(std::min(threads, kMaxThreads), task);
    return;
  }
  run_alone(task);
}

}  // namespace dwsep::runtime
