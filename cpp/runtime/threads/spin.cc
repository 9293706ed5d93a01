#include "runtime/threads/spin.hpp"

#include <atomic>

#include "runtime/threads/environment.hpp"

namespace dwsep::runtime {
namespace {

// A parked worker costs its caller 20 to 60 us, a polling one 0.1 us. The operators of a network follow each other
// within 100 us, so double that keeps the workers awake through a layer loop and no longer.
constexpr int kSpinTime = 200;
constexpr int kLongest = 1'000'000'000;

int environment_spin_time() noexcept {
  static std::atomic<int> kept{kUnread};
  return read_once(kept, [] {
    const EnvironmentNumber number = environment_number("DWSEP_SPIN_US", 0, kLongest);
    return !number.set ? kSpinTime : number.valid ? number.value : kWrong;
  });
}

}  // namespace

int spin_microseconds() noexcept {
  const int value = environment_spin_time();
  return value == kWrong ? kSpinTime : value;
}

void check_spin_time() {
  if (environment_spin_time() == kWrong) reject_environment("DWSEP_SPIN_US", 0);
}

}  // namespace dwsep::runtime
