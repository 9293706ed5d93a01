// Calls whose input and output do not fit the caches. Kernels read an image in the order that suits registers, a vector of channels
// along four rows, and the prefetchers lose track: what is in main memory is fetched first, in the order of addresses.
#pragma once

#include <cstdint>

#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {

/// Half of the last cache, which others use as well: what exceeds that is mostly out of it.
constexpr double kUsualShare = 0.5;

/// Whether so many bytes, read and written, exceed a share of the last cache, and both tensors are contiguous.
bool exceeds_caches(double bytes, const ConstTensor& x, const Tensor& y, double share = kUsualShare);

/// The bytes alone: whether a call may be out of cache.
bool may_exceed_caches(double bytes, double share = kUsualShare);

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

/// Fetches the input rows that output rows read; if `continued`, not those that the row in front of them has read already.
void fetch_rows(const Geometry& g, const ConstTensor& x, std::int64_t image, Range out, bool continued);

}  // namespace dwsep::runtime
