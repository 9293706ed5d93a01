// Calls whose input and output do not fit the caches. Kernels read an image in the order that suits registers, a vector of channels
// along four rows, and the prefetchers lose track: what is in main memory is fetched first, in the order of addresses.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {

/// Half of the last cache, which others use as well: what exceeds that is mostly out of it.
constexpr double kUsualShare = 0.5;

/// Whether so many bytes, read and written, exceed a share of the last cache, and both tensors are contiguous.
bool exceeds_caches(double bytes, const ConstTensor& x, const Tensor& y, double share = kUsualShare);

/// The bytes alone: whether a call may be out of cache.
bool may_exceed_caches(double bytes, double share = kUsualShare);

/// How calls of one layer that tried to store past the caches voted. One trial times a few microseconds, so that a single one is often
/// wrong: taken at its word, it stores 112x112x96 of stride 2 past the caches in half of the calls, and 147x147x128 as usual in a fifth.
/// Votes make 74x74x256 1.5 times as fast (AMD EPYC, Zen 3, 2026-11-29, medians of four turns).
class StoreVotes {
 public:
  /// Whether the next call of a thread tries: the first three, and each eighth, as what else is in the caches may have changed.
  bool next_tries() {
    const unsigned call = calls_.fetch_add(1, std::memory_order_relaxed);
    return call < 3 || call % 8 == 0;
  }
  bool past_caches() const { return votes_.load(std::memory_order_relaxed) > 0; }
  /// One vote more, which one against the majority does not turn.
  void add(bool past) {
    const int votes = votes_.load(std::memory_order_relaxed) + (past ? 1 : -1);
    votes_.store(votes < -1 ? -1 : votes > 2 ? 2 : votes, std::memory_order_relaxed);
  }

 private:
  std::atomic<unsigned> calls_{0};
  std::atomic<int> votes_{0};
};

/// Whether a call stores past the caches: always where input and output exceed the last cache. Of fewer bytes that loses where the cache
/// holds them, up to three times, and wins where other programs fill it, up to two: no size tells. So some calls of a layer compute some of
/// their first rows in either way, and others the way that most found faster.
class StoreTrial {
 public:
  /// For so many bytes, and groups of rows.
  StoreTrial(double bytes, std::int64_t groups, StoreVotes& votes);

  bool past_caches() const { return part_ == kParts ? past_ : part_ == kParts - 1; }
  /// Of rows to compute at most `group` at a time, how many are next.
  std::int64_t rows(std::int64_t group) const { return past_caches() || part_ < kParts ? group : kAll; }
  /// Computes so many rows, the way that `past_caches` says.
  template <class F>
  void measure(std::int64_t rows, const F& compute) {
    if (part_ == kParts) return compute();
    const auto start = std::chrono::steady_clock::now();
    compute();
    add(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / static_cast<double>(rows));
  }

 private:
  void add(double seconds);

  static constexpr int kParts = 3;  ///< that are tried: one at a border, with what no cache holds; one as usual; one past the caches
  static constexpr std::int64_t kAll = std::int64_t{1} << 40;
  StoreVotes& votes_;
  int part_;
  bool tries_ = false;
  bool past_;
  double gain_;  ///< what is stored as usual also drives other data out of the caches, the more the larger: it has to be so much faster
  double usual_ = 0;  ///< a row's seconds
};

/// Brings elements [begin, end) into the caches by one load of each line. Prefetch instructions do not start the hardware's own prefetcher:
/// 147x147x128 took 2000-2300 us with them, 1650 with loads.
template <class T>
inline void fetch(const T* begin, const T* end) {
  for (; begin < end; begin += kLineElements<T>) static_cast<void>(*static_cast<const volatile T*>(begin));
}

/// Fetches `count` pixels, `pixel` elements apart, of so many channels.
template <class T>
inline void fetch_pixels(const T* x, std::int64_t count, std::int64_t pixel, std::int64_t channels) {
  if (pixel == channels) return fetch(x, x + count * pixel);
  for (std::int64_t i = 0; i < count; ++i) fetch(x + i * pixel, x + i * pixel + channels);
}

/// The input rows that output rows read; if `continued`, not those that the row in front of them has read already.
struct RowsToFetch {
  const float *begin, *end;
};
RowsToFetch rows_to_fetch(const Geometry& g, const ConstTensor& x, std::int64_t image, Range out, bool continued);
inline void fetch(const RowsToFetch& rows) { fetch(rows.begin, rows.end); }

}  // namespace dwsep::runtime
