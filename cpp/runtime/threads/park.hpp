// Putting a thread to sleep on a 32-bit word: a futex on Linux, a condition variable elsewhere.
#pragma once

#include <atomic>
#include <cstdint>

namespace dwsep::runtime {

/// Sleeps while `word` holds `value`. May wake spuriously, so the caller checks again.
void park_while(std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept;

/// Wakes every thread parked on `word`; call it after the change of the word.
void unpark_all(std::atomic<std::uint32_t>& word) noexcept;

/// In the child of a fork: forgets the threads that were parked in the parent.
void forget_parked() noexcept;

}  // namespace dwsep::runtime
