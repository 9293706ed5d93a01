// The floating-point environment of a team, and how its threads wait: neither depends on the calling thread.
#include <cfenv>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "runtime/threads/float_environment.hpp"
#include "runtime/threads/spin.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace {

using dwsep::test::check;
using dwsep::test::in_child;
using namespace dwsep::runtime;

/// What the calling thread computes: a product that is subnormal, and sums that must be rounded down and up.
struct Sample {
  float product = 0, down = 0, up = 0;
  bool operator==(const Sample& o) const { return product == o.product && down == o.down && up == o.up; }
};

Sample sample() {
  const volatile float small = 1e-20F, smaller = 1e-19F, one = 1.0F, little = 1e-8F, more = 1e-7F;
  return {small * smaller, one + little, one + more};
}

std::vector<Sample> on_a_team(int threads) {
  std::vector<Sample> samples(static_cast<std::size_t>(threads));
  parallel(threads, [&](Team& team) {
    samples[static_cast<std::size_t>(team.rank())] = sample();
    team.barrier();
  });
  return samples;
}

/// Flushes subnormal numbers to zero in this thread, where the processor can.
void flush_to_zero() {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#elif defined(__aarch64__)
  unsigned long long control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" ::"r"(control | 1ULL << 24));
#endif
}

void one_environment() {
  const Sample wanted = sample();
  check(wanted.product != 0, "this program keeps subnormal numbers");
  const auto as_wanted = [&](int threads) {
    for (const Sample& s : on_a_team(threads)) {
      if (!(s == wanted)) return false;
    }
    return true;
  };
  const bool flushes = in_child([&] {
    flush_to_zero();
    return sample().product == 0;
  });
#if defined(__x86_64__) || defined(__aarch64__)
  check(flushes, "this program can flush subnormal numbers");
#endif
  // Before there are workers, which inherit it, and after.
  for (const bool before : {true, false}) {
    check(in_child([&] {
            if (!before) on_a_team(3);
            if (flushes) flush_to_zero();
            std::fesetround(FE_UPWARD);
            const Sample mine = sample();
            return !(mine == wanted) && as_wanted(1) && as_wanted(3) && sample() == mine;
          }),
          "a team computes as always, and the caller keeps its environment");
  }
  check(in_child([&] {
          std::fesetround(FE_TOWARDZERO);
          {
            const FloatEnvironment outer;
            if (!(sample() == wanted)) return false;
            const FloatEnvironment inner;
          }
          return !(sample() == wanted);
        }),
        "scopes nest");
}

// Each in a child, because the variable is read once.
void spinning() {
  unsetenv("DWSEP_SPIN_US");
  check(in_child([] {
          Spinner spinner(Pace::kAlone);
          return spinner.again() && spin_microseconds() == 200;
        }),
        "threads poll at first");
  for (const Pace pace : {Pace::kAlone, Pace::kShared, Pace::kCrowded}) {
    check(in_child([&] {
            setenv("DWSEP_SPIN_US", "0", 1);
            Spinner spinner(pace);
            return !spinner.again();
          }),
          "0: none polls");
  }
  check(in_child([] {
          setenv("DWSEP_SPIN_US", "0", 1);
          for (int i = 0; i < 1000; ++i) {
            if (on_a_team(3).size() != 3) return false;
          }
          return true;
        }),
        "teams that never poll");
  for (const char* good : {"", "1", "99999999999999999999"}) {
    check(in_child([&] {
            setenv("DWSEP_SPIN_US", good, 1);
            check_spin_time();
            return spin_microseconds() == (*good == '\0' ? 200 : *good == '1' ? 1 : 1'000'000'000);
          }),
          "a time is taken");
  }
  for (const char* bad : {"-1", "2.5", " 3", "long"}) {
    check(in_child([&] {
            setenv("DWSEP_SPIN_US", bad, 1);
            try {
              static_cast<void>(resolve_threads(2));
            } catch (const std::invalid_argument& error) {
              return std::string(error.what()).find(bad) != std::string::npos && spin_microseconds() == 200;
            }
            return false;
          }),
          "what is no time is refused");
  }
}

}  // namespace

int main() {
  one_environment();
  spinning();
  return dwsep::test::summary("thread environment");
}
