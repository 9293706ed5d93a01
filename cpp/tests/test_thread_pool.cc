// The thread pool: teams, barriers, nesting, concurrent callers, fork, refusal of threads, exit.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "check.hpp"
#include "runtime/threads/thread_pool.hpp"

// The fork tests start threads in the child of a threaded process, which the thread sanitizer refuses by default.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace {

using dwsep::runtime::kMaxThreads;
using dwsep::runtime::parallel;
using dwsep::runtime::Team;
using dwsep::test::check;
using dwsep::test::in_child;
using std::chrono::milliseconds;

/// How often each rank ran in one region, and the size that its threads saw.
struct Census {
  std::array<std::atomic<int>, kMaxThreads> runs{};
  std::atomic<int> threads{0};
  std::atomic<int> size{0};

  explicit Census(int wanted) {
    parallel(wanted, [&](Team& team) {
      runs[static_cast<std::size_t>(team.rank())].fetch_add(1);
      threads.fetch_add(1);
      size.store(team.size());
    });
  }

  bool consistent() const {
    const int expected = size.load();
    bool once = threads.load() == expected;
    for (int rank = 0; rank < expected; ++rank) once &= runs[static_cast<std::size_t>(rank)].load() == 1;
    return once;
  }
};

bool full_team(int wanted) {
  const Census census(wanted);
  return census.consistent() && census.size.load() == wanted;
}

void every_rank_runs_once() {
  for (const int size : {1, 2, 3, 8, 2, 8, kMaxThreads}) check(full_team(size), "every rank runs once");
  for (const int size : {0, -1}) check(Census(size).size.load() == 1, "a size below 1 is a team of one");
  check(full_team(2) && Census(kMaxThreads + 1).size.load() == kMaxThreads, "the team is limited");
  const auto self = std::this_thread::get_id();
  parallel(3, [&](Team& team) { check((team.rank() == 0) == (std::this_thread::get_id() == self), "the caller is rank 0"); });
}

// Plain ints on purpose: the thread sanitizer then proves that the barrier orders them.
void barrier_orders_phases(int size, int phases, milliseconds delay) {
  std::vector<int> values(static_cast<std::size_t>(size), 0);
  parallel(size, [&](Team& team) {
    const auto rank = static_cast<std::size_t>(team.rank());
    for (int phase = 1; phase <= phases; ++phase) {
      if (team.rank() == phase % team.size()) std::this_thread::sleep_for(delay);
      values[rank] = phase;
      team.barrier();
      for (int i = 0; i < team.size(); ++i) {
        check(values[static_cast<std::size_t>(i)] == phase, "the barrier orders phases");
      }
      team.barrier();
    }
  });
}

// Calls one after the other, some of which have a barrier between them, of shares in one, three and four pieces. Plain ints: nobody else
// may have the same part.
void shares_are_done_once(int size, int calls, milliseconds delay) {
  for (const int total : {1, 7, 31, 32, 64, 200}) {
    std::vector<int> done(static_cast<std::size_t>(total), 0);
    parallel(size, [&](Team& team) {
      for (int call = 0; call < calls; ++call) {
        if (team.rank() == call % team.size()) std::this_thread::sleep_for(delay);
        team.share(total, 1 + call / 10 % 3, 1 + call % 2, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) ++done[static_cast<std::size_t>(i)];
        });
        if (call % 2 == 1) team.barrier();
      }
    });
    check(done == std::vector<int>(static_cast<std::size_t>(total), calls), "each part is done once");
  }
}

bool shared_at_once() {
  std::atomic<std::int64_t> done{0};
  parallel(3, [&](Team& team) { team.share(96, 1, 1, [&](std::int64_t begin, std::int64_t end) { done.fetch_add(end - begin); }); });
  return done.load() == 96;
}

/// A thread that begins late finds that others have done its share.
void late_threads_are_helped() {
  std::array<int, 2> own{};
  parallel(2, [&](Team& team) {
    if (team.rank() == 1) std::this_thread::sleep_for(milliseconds(20));
    team.share(64, 1, 1,
               [&](std::int64_t begin, std::int64_t end) { own[static_cast<std::size_t>(team.rank())] += static_cast<int>(end - begin); });
  });
  check(own[0] + own[1] == 64 && own[0] >= 32, "all is done");
}

void nested_region_is_alone() {
  std::atomic<int> inner{0};
  parallel(3, [&](Team&) {
    for (int i = 0; i < 2; ++i) {
      parallel(3, [&](Team& team) {
        team.barrier();
        check(team.size() == 1 && team.rank() == 0, "a nested team has size 1");
        inner.fetch_add(1);
      });
    }
  });
  check(inner.load() == 6, "every nested body runs");
  parallel(1, [](Team&) { check(Census(2).size.load() == 1, "nested in a team of one"); });
  check(full_team(3), "a full team after nesting");
}

void concurrent_callers() {
  std::atomic<int> good{0};
  std::atomic<int> teams{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 50; ++i) {
    callers.emplace_back([&] {
      for (int call = 0; call < 100; ++call) {
        const Census census(3);
        if (census.consistent()) good.fetch_add(1);
        if (census.size.load() == 3) teams.fetch_add(1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  check(good.load() == 5000, "50 concurrent callers");
  check(teams.load() > 0, "some of the concurrent callers get the team");
  check(full_team(3), "a full team after concurrent callers");
}

void quick_calls() {
  long sum = 0;
  std::array<long, 2> part{};
  for (int call = 0; call < 100'000; ++call) {
    parallel(2, [&](Team& team) { part[static_cast<std::size_t>(team.rank())] = call; });
    sum += part[0] + part[1];
  }
  check(sum == 2L * (100'000L * 99'999L / 2), "1e5 quick calls");
}

void parked_workers_wake() {
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(milliseconds(3));
    check(full_team(3), "parked workers wake");
  }
}

void parked_caller_wakes() {
  parallel(3, [](Team& team) {
    if (team.rank() == 2) std::this_thread::sleep_for(milliseconds(5));
  });
}

void fork_when_idle(const char* what) {
  check(in_child([] { return full_team(3) && full_team(8) && in_child([] { return full_team(2); }); }), what);
  check(full_team(3), "a full team in the parent after a fork");
}

void fork_during_calls() {
  std::atomic<bool> stop{false};
  std::thread caller([&] {
    while (!stop.load()) {
      parallel(3, [](Team& team) {
        team.barrier();
        if (team.rank() == 1) std::this_thread::sleep_for(std::chrono::microseconds(100));
        team.share(64, 1, 1, [](std::int64_t, std::int64_t) { std::this_thread::sleep_for(std::chrono::microseconds(20)); });
      });
    }
  });
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(137 * i));
    check(in_child([] { return shared_at_once() && full_team(3) && full_team(4); }), "fork during another thread's call");
  }
  stop.store(true);
  caller.join();
}

void one_cpu() {
  cpu_set_t before, one;
  check(sched_getaffinity(0, sizeof(before), &before) == 0, "read the affinity mask");
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
  check(sched_setaffinity(0, sizeof(one), &one) == 0, "pin the caller");
  for (int i = 0; i < 20; ++i) check(full_team(4), "a team on one CPU");
  barrier_orders_phases(4, 20, milliseconds(0));
  // In a fresh process the workers inherit the mask, so all four share the CPU. A thread that has not asked yet, because
  // the number of CPUs is kept for a second.
  check(in_child([] {
          std::thread([] {
            check(dwsep::runtime::available_cpus() == 1, "one CPU");
            for (int i = 0; i < 20; ++i) check(full_team(4), "a fresh team on one CPU");
            barrier_orders_phases(4, 20, milliseconds(0));
          }).join();
          return true;
        }),
        "a fresh pool on one CPU");
  sched_setaffinity(0, sizeof(before), &before);
}

// Root may start threads above the limit, so the child gives that up first.
void threads_refused() {
  check(in_child([] {
          constexpr uid_t kNobody = 65534;
          if (getuid() == 0 && setuid(kNobody) != 0) return true;
          const rlimit none{0, 0};
          if (setrlimit(RLIMIT_NPROC, &none) != 0) return true;
          const Census census(8);
          check(census.consistent() && census.size.load() == 1, "alone when threads are refused");
          return full_team(1) && Census(2).consistent();
        }),
        "threads refused");
}

void workers_leave_signals_alone() {
  parallel(2, [](Team& team) {
    if (team.rank() == 0) return;
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    check(sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGALRM) == 1,
          "workers block signals");
    check(sigismember(&blocked, SIGSEGV) == 0, "workers report their faults");
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    check(std::strcmp(name.data(), "dwsep") == 0, "workers are named");
  });
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  check(sigismember(&blocked, SIGINT) == 0, "the caller's signals stay as they were");
}

// Static destructors and exit handlers run while workers poll, sleep, or are inside a body.
void exit_with_workers() {
  const auto exits = [](milliseconds wait, bool busy) {
    return in_child([&] {
      check(full_team(4), "a team before exit");
      if (busy) std::thread([] { parallel(3, [](Team&) { std::this_thread::sleep_for(milliseconds(300)); }); }).detach();
      std::this_thread::sleep_for(wait);
      std::exit(dwsep::test::failures.load());
      return false;
    });
  };
  check(exits(milliseconds(0), false), "exit with polling workers");
  check(exits(milliseconds(5), false), "exit with parked workers");
  check(exits(milliseconds(5), true), "exit with busy workers");
}

}  // namespace

int main() {
  // Emulators of other processors cannot start threads in a forked child.
  const bool forks = std::getenv("DWSEP_TEST_NO_FORK") == nullptr;
  if (forks) {
    fork_when_idle("fork before first use");
    exit_with_workers();
  }
  every_rank_runs_once();
  for (const int size : {1, 2, 3, 8}) barrier_orders_phases(size, 200, milliseconds(0));
  barrier_orders_phases(3, 6, milliseconds(2));
  for (const int size : {1, 2, 3, 8, 9}) shares_are_done_once(size, 40, milliseconds(0));
  shares_are_done_once(3, 6, milliseconds(2));
  late_threads_are_helped();
  nested_region_is_alone();
  parked_workers_wake();
  parked_caller_wakes();
  concurrent_callers();
  if (forks) {
    fork_when_idle("fork after use");
    fork_during_calls();
    one_cpu();
    threads_refused();
  }
  workers_leave_signals_alone();
  quick_calls();
  if (!forks) std::printf("no forks: DWSEP_TEST_NO_FORK is set\n");
  return dwsep::test::summary("thread pool");
}
