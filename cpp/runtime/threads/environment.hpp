// Numbers from variables of the environment.
#pragma once

#include <atomic>

namespace dwsep::runtime {

/// What a variable holds: nothing, a number, or something else.
struct EnvironmentNumber {
  bool set = false;  ///< and not empty
  bool valid = false;
  int value = 0;
};

/// A variable as an integer of at least `least`; what exceeds `most` counts as that.
EnvironmentNumber environment_number(const char* name, int least, int most) noexcept;

/// What is kept of a variable, until it is read and where it holds no number that is right.
constexpr int kUnread = -1, kWrong = -2;

/// Read once: two threads that come first together both read the same value, and a lock could be left held by a fork.
template <class Read>
int read_once(std::atomic<int>& kept, const Read& read) {
  int value = kept.load(std::memory_order_relaxed);
  if (value == kUnread) {
    value = read();
    kept.store(value, std::memory_order_relaxed);
  }
  return value;
}

/// Throws the std::invalid_argument about a variable that is not valid.
[[noreturn]] void reject_environment(const char* name, int least);

}  // namespace dwsep::runtime
