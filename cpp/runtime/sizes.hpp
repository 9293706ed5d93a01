// Arithmetic on sizes. An image may be a view of one pixel, far larger than memory, so sizes must not overflow before
// an allocation fails.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace dwsep::runtime {

/// The largest size of a tensor's axis.
inline constexpr std::int64_t kLargestSize = std::int64_t{1} << 48;
inline constexpr char kSizesWanted[] = "sizes between 0 and 2^48";
/// Largest stride, padding and filter size: far beyond any image, and small enough that no product or sum of two overflows.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 31;
/// Beyond any memory, in bytes as in elements, and small enough that sums and multiples of some such numbers fit 64 bits.
inline constexpr std::int64_t kTooMany = std::int64_t{1} << 50;

/// The product of sizes, or kTooMany where it is as much or more.
inline std::int64_t product(std::initializer_list<std::int64_t> sizes) {
  std::int64_t p = 1;
  for (const std::int64_t size : sizes) {
    if (__builtin_mul_overflow(p, size, &p) || p >= kTooMany) return kTooMany;
  }
  return p;
}

/// Bytes of `count` elements, or kTooMany.
template <class T>
std::int64_t bytes_of(std::int64_t count) {
  return product({count, static_cast<std::int64_t>(sizeof(T))});
}

/// The product of sizes as a double, where an estimate suffices: that of an image that is never allocated may exceed
/// 64 bits.
template <class... Sizes>
double magnitude(Sizes... sizes) {
  return (1.0 * ... * static_cast<double>(sizes));
}

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
inline std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }

}  // namespace dwsep::runtime
