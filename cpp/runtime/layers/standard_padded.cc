#include "runtime/layers/standard_padded.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/dispatch.hpp"
#include "runtime/sizes.hpp"

namespace dwsep::runtime {
namespace {

constexpr std::uint32_t kLeast = (127U - 40) << 23;  ///< the bits of 2^-40
constexpr std::uint32_t kInfinite = 255U << 23;

std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}
std::uint32_t magnitude_bits(float x) { return bits_of(x) & 0x7FFFFFFFU; }

bool too_small(float x) { return magnitude_bits(x) - 1U < kLeast - 1U; }

std::int64_t span(std::int64_t outputs, std::int64_t taps, std::int64_t stride, std::int64_t dilation) {
  return (outputs - 1) * stride + (taps - 1) * dilation + 1;
}

/// Whether one was too small.
std::uint32_t copy(const float* __restrict from, float* __restrict to, std::int64_t count) {
  std::uint32_t small = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    small |= too_small(from[i]) ? 1U : 0U;
    to[i] = from[i];
  }
  return small;
}

}  // namespace

bool zeros_change_nothing(const std::vector<PackedMatrix>& groups) {
  constexpr std::int64_t kMostWeights = 262144;
  const PackedMatrix& first = groups.front();
  if (first.lanes != 8 || product({first.weight_floats(), static_cast<std::int64_t>(groups.size())}) > kMostWeights) return false;
  return std::all_of(groups.begin(), groups.end(), [](const PackedMatrix& p) {
    const auto fits = [](float x) { return magnitude_bits(x) < kInfinite && !too_small(x); };
    return std::all_of(p.weights.get(), p.weights.get() + p.weight_floats(), fits) &&
           std::all_of(p.bias.get(), p.bias.get() + p.bias_floats(), [&](float x) { return fits(x) && bits_of(x) != 1U << 31; });
  });
}

std::int64_t padded_floats(const Geometry& g, std::int64_t channels) {
  return product({span(g.out_h, g.kh, g.stride_h, g.dilation_h), span(g.out_w, g.kw, g.stride_w, g.dilation_w), channels});
}

void put_zeros_around(StandardWork& w, Range rows, std::int64_t groups, float* pixels) {
  const std::int64_t height = span(rows.end - rows.begin, w.kh, w.stride_h, w.dilation_h);
  const std::int64_t width = span(w.out_width, w.kw, w.stride_w, w.dilation_w), row = width * w.channels;
  const std::int64_t first = rows.begin * w.stride_h - w.pad_top;
  std::fill_n(pixels, groups * height * row, 0.0F);
  const std::int64_t begin = std::max<std::int64_t>(-w.pad_left, 0), end = std::min(w.width, width - w.pad_left);
  const bool contiguous = w.x_pixel == w.channels;
  const std::int64_t runs = contiguous ? 1 : end - begin, length = contiguous ? (end - begin) * w.channels : w.channels;
  std::uint32_t small = 0;
  for (std::int64_t r = std::max<std::int64_t>(-first, 0); r < height && first + r < w.height; ++r) {
    for (std::int64_t g = 0; g < groups; ++g) {
      const float* from = w.gemm.a + (first + r) * w.x_row + begin * w.x_pixel + g * w.channels;
      float* to = pixels + (g * height + r) * row + (begin + w.pad_left) * w.channels;
      for (std::int64_t i = 0; i < runs; ++i, from += w.x_pixel, to += w.channels) {
        small |= copy(from, to, length);
      }
    }
  }
  if (small != 0) return;
  w.gemm.a = pixels;
  w.x_pixel = w.channels;
  w.x_row = row;
  w.x_group = height * row;
  w.height = height;
  w.width = width;
  w.pad_top = rows.begin * w.stride_h;
  w.pad_left = 0;
}

}  // namespace dwsep::runtime
