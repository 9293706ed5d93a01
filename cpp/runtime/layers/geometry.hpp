// From options and an input shape to the numbers that kernels need.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "dwsep/layers.hpp"

namespace dwsep::runtime {

/// What strides, paddings and filters reach at most: far beyond any image, and small enough that no product or sum of two overflows.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 31;

/// A spatial filter over one input size.
struct Geometry {
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t pad_top, pad_left;
  std::int64_t out_h, out_w;
};

/// Throws std::invalid_argument when it is of no kind there is, or a clip to an empty range.
void check_activation(const Activation& activation);

/// Throws std::invalid_argument when a size or the mode of padding is out of range.
void check_options(const ConvOptions& options, std::int64_t kh, std::int64_t kw);

/// Throws std::invalid_argument when the padded input is smaller than the filter.
Geometry resolve(const ConvOptions& options, std::int64_t kh, std::int64_t kw, const Shape& x);

/// Throws std::invalid_argument unless values of this type can be computed with: in this version float32 alone, which no quantization
/// belongs to.
void check_type(const std::string& what, DType dtype, const Quantization* quantization);

/// Throws std::invalid_argument: "<what>: must be <wanted>, got <got>".
[[noreturn]] void reject(const std::string& what, const std::string& wanted, const std::string& got);
void check_channels(const char* what, std::int64_t wanted, std::int64_t got);
std::string to_string(const Shape& s);

/// Beyond any memory, and small enough that sums and multiples of some such numbers fit 64 bits.
inline constexpr std::int64_t kTooMany = std::int64_t{1} << 50;
/// The product of sizes, or kTooMany where it is as much or more: an image may be a view of one pixel, far larger than memory, and what is
/// reckoned from its size must not overflow before somebody finds that there is no room for it.
inline std::int64_t product(std::initializer_list<std::int64_t> sizes) {
  std::int64_t p = 1;
  for (const std::int64_t size : sizes) {
    if (__builtin_mul_overflow(p, size, &p) || p >= kTooMany) return kTooMany;
  }
  return p;
}

/// The product of sizes as a real number, where it only has to be about right: that of an image that is described, not made, may be beyond
/// 64 bits.
inline double magnitude(std::initializer_list<std::int64_t> sizes) {
  double p = 1;
  for (const std::int64_t size : sizes) p *= static_cast<double>(size);
  return p;
}

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
inline std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }

}  // namespace dwsep::runtime
