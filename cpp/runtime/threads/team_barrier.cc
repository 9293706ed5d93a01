#include "runtime/threads/team_barrier.hpp"

#include "runtime/threads/park.hpp"

namespace dwsep::runtime {
namespace {

constexpr std::uint32_t kSleeper = 1;
constexpr std::uint32_t kArrival = 2;

bool reached(std::uint32_t word, std::uint32_t goal) noexcept { return static_cast<std::int32_t>((word & ~kSleeper) - goal) >= 0; }

}  // namespace

// Every change of the word is a read-modify-write, so the additions form one release sequence: a thread that reads the
// last arrival sees what every thread wrote before its own.
void TeamBarrier::arrive_and_wait(std::uint32_t& goal, int size, Pace pace) noexcept {
  goal += kArrival * static_cast<std::uint32_t>(size);
  std::uint32_t word = word_.fetch_add(kArrival, std::memory_order_acq_rel);
  if (reached(word + kArrival, goal)) {
    if ((word & kSleeper) != 0) {
      word_.fetch_and(~kSleeper, std::memory_order_relaxed);
      unpark_all(word_);
    }
    return;
  }
  Spinner spinner(pace);
  while (!reached(word = word_.load(std::memory_order_acquire), goal)) {
    if (spinner.again()) continue;
    const std::uint32_t parked = word | kSleeper;
    if (word == parked || word_.compare_exchange_strong(word, parked, std::memory_order_relaxed)) {
      park_while(word_, parked);
    }
  }
}

}  // namespace dwsep::runtime
