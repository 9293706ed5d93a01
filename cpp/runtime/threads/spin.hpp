// Polling for a short while before a thread parks.
#pragma once

#include <sched.h>

#include <chrono>

namespace dwsep::runtime {

/// Microseconds that a thread polls before it sleeps: DWSEP_SPIN_US, read once, else 200. A value without a meaning counts as not set;
/// check_spin_time reports it.
int spin_microseconds() noexcept;

/// Throws std::invalid_argument where DWSEP_SPIN_US is neither empty nor an integer of at least 0.
void check_spin_time();

/// The CPU's hint for polling loops.
inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

/// Who may need the CPU of a polling thread; decides its pace.
enum class Pace {
  kAlone,    // nobody in the team: never yield, a busy machine may take milliseconds to return the CPU
  kShared,   // possibly the thread that is waited for: yield now and then
  kCrowded,  // the team has more threads than CPUs: yield at once
};

/// Paces a polling loop: `while (!ready()) if (!spinner.again()) park();`.
class Spinner {
 public:
  explicit Spinner(Pace pace) noexcept : pace_(pace), spin_time_(spin_microseconds()) {}

  /// Pauses; false once polling has taken so long that parking is better.
  bool again() noexcept {
    if (spin_time_.count() == 0) return false;
    cpu_relax();
    if (++polls_ < kPollsPerCheck) return true;
    polls_ = 0;
    ++checks_;
    return pace_ == Pace::kCrowded ? yield_cpu() : before_deadline();
  }

 private:
  using Clock = std::chrono::steady_clock;

  // About 1 us: a pause takes 31 ns on Zen 5, reading the clock 27 ns.
  static constexpr int kPollsPerCheck = 32;
  // Without yields a worker woken on its caller's CPU costs 220 us, with the first after 4 us it costs 25.
  static constexpr int kFirstYield = 4;
  static constexpr int kMaxYields = 16;

  bool yield_cpu() noexcept {
    sched_yield();
    return checks_ < kMaxYields;
  }

  bool before_deadline() noexcept {
    const Clock::time_point now = Clock::now();
    if (checks_ == 1) deadline_ = now + spin_time_;
    // With growing intervals, since a yield without effect still costs 0.6 us.
    const bool power_of_two = (checks_ & (checks_ - 1)) == 0;
    if (pace_ == Pace::kShared && checks_ >= kFirstYield && power_of_two) sched_yield();
    return now < deadline_;
  }

  const Pace pace_;
  const std::chrono::microseconds spin_time_;
  int polls_ = 0;
  int checks_ = 0;
  Clock::time_point deadline_{};
};

}  // namespace dwsep::runtime
