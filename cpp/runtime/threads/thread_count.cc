#include "runtime/threads/thread_count.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "runtime/threads/cpu_count.hpp"

namespace dwsep::runtime {
namespace {

std::atomic<int> chosen_threads{0};  // 0: not set

void check_count(int threads) {
  if (threads < 0) throw std::invalid_argument("threads: must be 1 or more, or 0 for the default, got " + std::to_string(threads));
}

int parse_environment() {
  const char* text = std::getenv("DWSEP_NUM_THREADS");
  if (text == nullptr || *text == '\0') return 0;
  const char* end = text + std::strlen(text);
  int value = 0;
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error == std::errc::result_out_of_range && stop == end && *text != '-') return kMaxThreads;
  if (error != std::errc{} || stop != end || value < 1) {
    throw std::invalid_argument("DWSEP_NUM_THREADS: must be a whole number of at least 1, got \"" + std::string(text) + "\"");
  }
  return std::min(value, kMaxThreads);
}

// Two threads that come first together both parse, to the same value; a lock here could be left held by a fork.
int environment_threads() {
  constexpr int kNotRead = -1;
  static std::atomic<int> cached{kNotRead};
  int value = cached.load(std::memory_order_relaxed);
  if (value == kNotRead) {
    value = parse_environment();
    cached.store(value, std::memory_order_relaxed);
  }
  return value;
}

}  // namespace

void set_num_threads(int n) {
  check_count(n);
  chosen_threads.store(std::min(n, kMaxThreads), std::memory_order_relaxed);
}

int num_threads() {
  if (const int chosen = chosen_threads.load(std::memory_order_relaxed); chosen > 0) return chosen;
  if (const int value = environment_threads(); value > 0) return value;
  return std::min(available_cpus(), kMaxThreads);
}

int resolve_threads(int requested) {
  check_count(requested);
  return requested > 0 ? std::min(requested, kMaxThreads) : num_threads();
}

}  // namespace dwsep::runtime
