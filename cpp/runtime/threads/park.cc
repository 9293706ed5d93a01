#include "runtime/threads/park.hpp"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#else
#include <condition_variable>
#include <memory>
#include <mutex>
#endif

namespace dwsep::runtime {

#if defined(__linux__)

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);

void park_while(std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void unpark_all(std::atomic<std::uint32_t>& word) noexcept { syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0); }

void forget_parked() noexcept {}

#else

namespace {

// One for all words: at most a team of threads parks, and each checks its own word when woken.
struct ParkingLot {
  std::mutex mutex;
  std::condition_variable changed;
};

std::atomic<ParkingLot*> current_lot{nullptr};

// Never freed: threads may be parked in it while the process exits, and after a fork its mutex may be locked for ever.
ParkingLot& parking_lot() {
  ParkingLot* lot = current_lot.load(std::memory_order_acquire);
  if (lot != nullptr) return *lot;
  auto fresh = std::make_unique<ParkingLot>();
  if (current_lot.compare_exchange_strong(lot, fresh.get(), std::memory_order_acq_rel)) return *fresh.release();
  return *lot;
}

}  // namespace

void park_while(std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept {
  ParkingLot& lot = parking_lot();
  std::unique_lock<std::mutex> lock(lot.mutex);
  if (word.load(std::memory_order_relaxed) == value) lot.changed.wait(lock);
}

void unpark_all(std::atomic<std::uint32_t>&) noexcept {
  ParkingLot& lot = parking_lot();
  // Locked and unlocked: a thread that saw the old word is then waiting.
  { const std::lock_guard<std::mutex> lock(lot.mutex); }
  lot.changed.notify_all();
}

void forget_parked() noexcept { current_lot.store(nullptr, std::memory_order_relaxed); }

#endif

}  // namespace dwsep::runtime
