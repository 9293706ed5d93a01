// Memory of the arrays that calls return. First touch of fresh pages costs as much as a kernel, so the blocks of dead arrays
// are kept, up to a bound, for the next call. Independent of Python and NumPy.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>

namespace dwsep::python {

struct Block {
  void* memory = nullptr;
  std::size_t capacity = 0;
};

class Recycler {
 public:
  static constexpr std::size_t max_entries = 64;
  static constexpr std::size_t max_bytes = std::size_t{64} << 20;
  /// Smaller blocks come from the heap, which is fast enough.
  static constexpr std::size_t min_block = std::size_t{16} << 10;
  static constexpr std::size_t page = 4096;

  /// A block of at least `bytes`, on a page boundary from min_block up; a null one if there is no memory even without those kept.
  Block take(std::size_t bytes);

  /// Keeps a block for later; evicts the oldest ones when a bound is reached.
  void give(Block block);

  std::size_t bytes();
  void clear();

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  Block find(std::size_t capacity);

  std::mutex mutex_;
  std::array<Block, max_entries> blocks_{};  // oldest first
  std::size_t count_ = 0, bytes_ = 0;
};

/// The process's only one. Its destructor does nothing: arrays may outlive everything else at exit.
extern Recycler recycler;

/// Keeps a forked child from inheriting a lock held by a thread that it does not have. Call once.
void guard_recycler_against_fork();

}  // namespace dwsep::python
