// What the pool costs: fork and join with polling and with parked workers, by the gap between calls, and the barrier.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "runtime/threads/thread_pool.hpp"

namespace {

using dwsep::runtime::parallel;
using dwsep::runtime::Team;
using Clock = std::chrono::steady_clock;

double nanoseconds(Clock::duration time) { return std::chrono::duration<double, std::nano>(time).count(); }

void burn(std::chrono::nanoseconds time) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The median over batches, so that a batch in which another process took a CPU does not count.
template <class Call>
double batches(int count, int calls, const Call& call) {
  std::vector<double> each;
  for (int batch = 0; batch < count; ++batch) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) call();
    each.push_back(nanoseconds(Clock::now() - start) / calls);
  }
  return median(std::move(each));
}

void hot(int threads) {
  const double call = batches(41, 1000, [&] { parallel(threads, [](Team&) {}); });
  constexpr int kBarriers = 1000;
  const double barrier = batches(41, 1,
                                 [&] {
                                   parallel(threads, [](Team& team) {
                                     for (int i = 0; i < kBarriers; ++i) team.barrier();
                                   });
                                 }) /
                         kBarriers;
  std::printf("%d threads: call %.0f ns, barrier %.0f ns\n", threads, call, barrier);
}

// Work of 10 us on each of two threads after a gap in which the caller does something else, or sleeps.
template <class Wait>
void after_gap(const char* kind, std::chrono::microseconds gap, const Wait& wait) {
  constexpr std::chrono::microseconds kWork{10};
  std::vector<double> cost;
  const int calls = static_cast<int>(std::min<long>(2000, 500'000 / std::max<long>(50, gap.count())));
  for (int i = 0; i < calls; ++i) {
    wait(gap);
    const auto start = Clock::now();
    parallel(2, [&](Team&) { burn(kWork); });
    cost.push_back(nanoseconds(Clock::now() - start - kWork));
  }
  std::sort(cost.begin(), cost.end());
  std::printf("%s %5ld us before: median %.0f ns, 90 %% %.0f ns more than the work\n", kind, static_cast<long>(gap.count()),
              cost[cost.size() / 2], cost[cost.size() * 9 / 10]);
}

}  // namespace

int main() {
  for (const int threads : {1, 2, 4, 8}) hot(threads);
  for (const int gap : {0, 5, 20, 50, 100, 180, 300, 2000}) {
    after_gap("busy  ", std::chrono::microseconds(gap), [](auto time) { burn(time); });
  }
  for (const int gap : {20, 200, 2000}) {
    after_gap("asleep", std::chrono::microseconds(gap), [](auto time) { std::this_thread::sleep_for(time); });
  }
  constexpr int kAsks = 100'000;
  int sum = 0;
  std::printf("available_cpus %.1f ns\n", batches(5, kAsks, [&] { sum += dwsep::runtime::available_cpus(); }));
  return sum == 0;
}
