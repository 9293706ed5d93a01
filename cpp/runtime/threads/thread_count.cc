#include "runtime/threads/thread_count.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "runtime/reject.hpp"
#include "runtime/threads/cpu_count.hpp"
#include "runtime/threads/environment.hpp"
#include "runtime/threads/spin.hpp"

namespace dwsep::runtime {
namespace {

std::atomic<int> chosen_threads{0};  // 0: not set

void check_count(int threads) {
  if (threads < 0) reject("threads", "1 or more, or 0 for the default", std::to_string(threads));
}

/// 0 where the variable is not set.
int environment_threads() {
  static std::atomic<int> kept{kUnread};
  const int value = read_once(kept, [] {
    const EnvironmentNumber number = environment_number("DWSEP_NUM_THREADS", 1, kMaxThreads);
    return !number.set ? 0 : number.valid ? number.value : kWrong;
  });
  if (value == kWrong) reject_environment("DWSEP_NUM_THREADS", 1);
  return value;
}

/// What OMP_NUM_THREADS allows; no limit where it says nothing that is understood, as it is another library's. Of a list, the first number
/// is that of the outermost level.
int openmp_limit() {
  static std::atomic<int> kept{kUnread};
  return read_once(kept, [] {
    const char* text = std::getenv("OMP_NUM_THREADS");
    const long value = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
    return value < 1 || value > kMaxThreads ? kMaxThreads : static_cast<int>(value);
  });
}

}  // namespace

void set_num_threads(int n) {
  check_count(n);
  chosen_threads.store(std::min(n, kMaxThreads), std::memory_order_relaxed);
}

int num_threads() {
  check_spin_time();
  if (const int chosen = chosen_threads.load(std::memory_order_relaxed); chosen > 0) return chosen;
  if (const int value = environment_threads(); value > 0) return value;
  return std::min(available_cpus(), openmp_limit());
}

int resolve_threads(int requested) {
  check_count(requested);
  check_spin_time();
  return requested > 0 ? std::min(requested, kMaxThreads) : num_threads();
}

}  // namespace dwsep::runtime
