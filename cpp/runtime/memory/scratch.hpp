// Temporary memory of a call, divided into typed pieces.
//
// A layer describes its pieces once, in a function of a Scratch: on a Scratch without memory it measures, on one with memory it
// allocates, so that size and use cannot disagree.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "runtime/sizes.hpp"

namespace dwsep::runtime {

/// Bytes of a cache line. Vectors of every instruction set divide it.
inline constexpr std::int64_t kLineBytes = 64;
template <class T>
inline constexpr std::int64_t kLineElements = kLineBytes / static_cast<std::int64_t>(sizeof(T));

/// A piece of scratch for each thread of a team, none sharing a cache line with another.
template <class T>
struct PerThread {
  std::byte* first;
  std::int64_t distance;  ///< bytes from one thread's to the next
  T* operator[](int rank) const { return reinterpret_cast<T*>(first + rank * distance); }
};

class Scratch {
 public:
  /// Without memory: it measures, and all pieces are null.
  Scratch() = default;
  /// `memory` is aligned to a cache line and large enough. Copies hand out the same pieces: each thread of a team cuts its own.
  explicit Scratch(std::byte* memory) : memory_(memory) {}

  /// The next piece: `count` uninitialised elements, aligned to a cache line.
  template <class T>
  T* take(std::int64_t count) {
    return reinterpret_cast<T*>(take_each<T>(1, count).first);
  }
  /// One such piece for each of so many threads.
  template <class T>
  PerThread<T> take_each(int threads, std::int64_t count) {
    static_assert(std::is_trivial_v<T> && kLineBytes % alignof(T) == 0);
    const std::int64_t piece = round_up(bytes_of<T>(count), kLineBytes);
    std::byte* const first = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ = std::min(used_ + product({piece, threads}), kTooMany);
    return {first, piece};
  }

  /// Bytes taken so far; kTooMany where they are as many or more.
  std::int64_t bytes() const { return used_; }

 private:
  std::byte* memory_ = nullptr;
  std::int64_t used_ = 0;
};

/// Bytes that layout(Scratch&) takes.
template <class Layout>
std::int64_t measure(const Layout& layout) {
  Scratch scratch;
  layout(scratch);
  return scratch.bytes();
}

}  // namespace dwsep::runtime
