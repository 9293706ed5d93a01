#include "runtime/threads/spin.hpp"

#include <atomic>

#include "runtime/threads/environment.hpp"

namespace dwsep::runtime {
namespace {

// A parked worker costs its caller 20 to 60 us, a polling one 0.1 us. The operators of a network follow each other
// within 100 us, so double that keeps the workers awake through a layer loop and no longer.
constexpr int kSpinTime = 200;
constexpr int kLongest = 1'000'000'000;
constexpr int kUnread = -1;
constexpr int kWrong = -2;

int read_environment() noexcept {
  const EnvironmentNumber number = environment_number("DWSEP_SPIN_US", 0, kLongest);
  return !number.set ? kSpinTime : number.valid ? number.value : kWrong;
}

int cached() noexcept {
  static std::atomic<int> kept{kUnread};
  int value = kept.load(std::memory_order_relaxed);
  if (value == kUnread) {
    value = read_environment();
    kept.store(value, std::memory_order_relaxed);
  }
  return value;
}

}  // namespace

int spin_microseconds() noexcept {
  const int value = cached();
  return value == kWrong ? kSpinTime : value;
}

void check_spin_time() {
  if (cached() == kWrong) reject_environment("DWSEP_SPIN_US", 0);
}

}  // namespace dwsep::runtime
