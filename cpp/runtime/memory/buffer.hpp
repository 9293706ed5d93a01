// Memory for packed weights and for scratch: aligned to a cache line.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace dwsep::runtime {

/// Floats of a cache line. Vectors of every instruction set divide it.
inline constexpr std::int64_t kLineFloats = 16;

struct AlignedDelete {
  void operator()(float* p) const noexcept;
};
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;

/// Uninitialised floats on a cache line's boundary. Throws std::bad_alloc, also for counts that no memory could hold.
AlignedFloats aligned_floats(std::int64_t count);

/// The same, shared: for weights, whose memory may as well belong to something else.
std::shared_ptr<float> shared_floats(std::int64_t count);

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
  std::shared_ptr<float> take(std::int64_t count);

 private:
  std::shared_ptr<float> chunk_;
  std::int64_t left_ = 0;  ///< floats of the chunk that are free
};

/// While it lives, the shared_floats of this thread come from a store.
class PageScope {
 public:
  explicit PageScope(PageStore& store);
  ~PageScope();
  PageScope(const PageScope&) = delete;
  PageScope& operator=(const PageScope&) = delete;

 private:
  PageStore* before_;
};

/// At least `count` floats that belong to the calling thread until it asks again. Grows, and is kept for the next call. Operators ask
/// once, before their threads start, for all of them: a failure can still be reported there.
float* thread_scratch(std::int64_t count);

}  // namespace dwsep::runtime
