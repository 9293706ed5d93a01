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

}  // namespace

bool zeros_change_nothing(const std::vector<PackedMatrix>& groups) {
  constexpr std::int64_t kMostWeights = 32768;
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

void put_zeros_around(StandardWork& w, Range rows, float* pixels) {
  const std::int64_t height = span(rows.end - rows.begin, w.kh, w.stride_h, w.dilation_h);
  const std::int64_t width = span(w.out_width, w.kw, w.stride_w, w.dilation_w), row = width * w.channels;
  const std::int64_t first = rows.begin * w.stride_h - w.pad_top;
  std::fill_n(pixels, height * row, 0.0F);
  const std::int64_t begin = std::max<std::int64_t>(-w.pad_left, 0), end = std::min(w.width, width - w.pad_left);
  bool small = false;
  for (std::int64_t r = std::max<std::int64_t>(-first, 0); r < height && first + r < w.height; ++r) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* from = w.gemm.a + (first + r) * w.x_row + i * w.x_pixel;
      float* to = pixels + r * row + (i + w.pad_left) * w.channels;
      for (std::int64_t c = 0; c < w.channels; ++c) {
        small |= too_small(from[c]);
        to[c] = from[c];
      }
    }
  }
  if (small) return;
  w.gemm.a = pixels;
  w.x_pixel = w.channels;
  w.x_row = row;
  w.height = height;
  w.width = width;
  w.pad_top = rows.begin * w.stride_h;
  w.pad_left = 0;
}

}  // namespace dwsep::runtime
