// From options and an input shape to the numbers that kernels need.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "dwsep/layers.hpp"
#include "runtime/reject.hpp"
#include "runtime/sizes.hpp"

namespace dwsep::runtime {

/// A spatial filter over one input size.
struct Geometry {
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t pad_top, pad_left;
  std::int64_t out_h, out_w;
};

/// Throws std::invalid_argument if its kind is unknown or its clip range is empty.
void check_activation(const Activation& activation);

/// Throws std::invalid_argument when a size or the mode of padding is out of range.
void check_options(const ConvOptions& options, std::int64_t kh, std::int64_t kw);

/// Throws std::invalid_argument when the padded input is smaller than the filter.
Geometry resolve(const ConvOptions& options, std::int64_t kh, std::int64_t kw, const Shape& x);

/// About the share of a filter's taps that are not padding, where an image is smaller than it.
inline double taps_inside(const Geometry& g, const Shape& x) {
  const auto share = [](std::int64_t size, std::int64_t taps, std::int64_t dilation) {
    return static_cast<double>(std::min((size + dilation - 1) / dilation, taps)) / static_cast<double>(taps);
  };
  return share(x.h, g.kh, g.dilation_h) * share(x.w, g.kw, g.dilation_w);
}

/// Throws std::invalid_argument unless the type is supported: in this version float32 without quantization.
void check_type(const std::string& what, DType dtype, const Quantization* quantization);
/// Its name, for messages.
std::string shown(DType type);
void check_channels(const char* what, std::int64_t wanted, std::int64_t got);
std::string to_string(const Shape& s);

}  // namespace dwsep::runtime
