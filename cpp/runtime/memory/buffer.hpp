// Memory for packed weights and for scratch: aligned to a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "runtime/memory/scratch.hpp"

namespace dwsep::runtime {

struct AlignedDelete {
  void operator()(void* p) const noexcept;
};
template <class T>
using AlignedArray = std::unique_ptr<T[], AlignedDelete>;
using AlignedMemory = AlignedArray<std::byte>;

/// Uninitialised memory on a cache line's boundary. Throws std::bad_alloc, also for sizes that no memory could hold.
AlignedMemory aligned_memory(std::int64_t bytes);

/// For an arena. Of half a huge page or more, a whole one: up to 1 MB more, but to touch 1.2 MB first, as of a face detector, takes 0.1 ms
/// and not 0.6 (AMD EPYC, Zen 3, 2026-11-29).
AlignedMemory arena_memory(std::int64_t bytes);

/// Memory like that of `aligned_memory`, shared: for weights, whose memory may belong to a file.
std::shared_ptr<std::byte> shared_memory(std::int64_t bytes);

/// The same for `count` elements.
template <class T>
AlignedArray<T> aligned_array(std::int64_t count) {
  static_assert(std::is_trivial_v<T>);
  return AlignedArray<T>(reinterpret_cast<T*>(aligned_memory(bytes_of<T>(count)).release()));
}
template <class T>
std::shared_ptr<T> shared_array(std::int64_t count) {
  static_assert(std::is_trivial_v<T>);
  const std::shared_ptr<std::byte> memory = shared_memory(bytes_of<T>(count));
  return {memory, reinterpret_cast<T*>(memory.get())};
}

/// Large pieces of memory, cut into arrays that keep them alive. The weights of a network are read once a call, many of them from beyond
/// the caches, and huge pages bring them up to twice as fast (5 MB: 167 us instead of 303); no single layer's weights fill such pages.
class PageStore {
 public:
  PageStore() = default;
  PageStore(PageStore&& other) noexcept : chunk_(std::move(other.chunk_)), left_(std::exchange(other.left_, 0)) {}
  PageStore& operator=(PageStore&& other) noexcept {
    chunk_ = std::move(other.chunk_);
    left_ = std::exchange(other.left_, 0);
    return *this;
  }
  std::shared_ptr<std::byte> take(std::int64_t bytes);
  /// Memory that nothing uses any more, if it was the last that was taken.
  void give_back(const void* part, std::int64_t bytes);

 private:
  std::shared_ptr<std::byte> chunk_;
  std::int64_t left_ = 0;  ///< bytes of the chunk that are free
};

/// In its scope, shared memory of this thread is allocated from a store.
class PageScope {
 public:
  explicit PageScope(PageStore& store);
  ~PageScope();
  PageScope(const PageScope&) = delete;
  PageScope& operator=(const PageScope&) = delete;

 private:
  PageStore* before_;
};

bool pages_in_use();
/// See PageStore.
void give_back(const std::shared_ptr<const void>& part, std::int64_t bytes);

/// At least so many bytes, owned by the calling thread until its next request. Grows, and is kept for the next call. Operators ask
/// once, before their threads start, for all of them: a failure can still be reported there.
Scratch thread_scratch(std::int64_t bytes);

}  // namespace dwsep::runtime
