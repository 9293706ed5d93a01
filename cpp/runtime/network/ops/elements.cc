#include "runtime/network/ops/elements.hpp"

#include "runtime/network/ops/cast.hpp"

namespace dwsep::runtime {
namespace {

float of_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

}  // namespace

float to_float(Half h) {
  const std::uint32_t sign = std::uint32_t{h.bits & 0x8000U} << 16, rest = h.bits & 0x7FFFU;
  if (rest >= 0x7C00U) return of_bits(sign | 0x7F800000U | (rest & 0x3FFU) << 13);  // infinite, or NaN
  if (rest >= 0x0400U) return of_bits(sign | ((rest << 13) + (112U << 23)));
  const float tiny = static_cast<float>(rest) * 0x1p-24F;  // exact
  return sign != 0 ? -tiny : tiny;
}

// Selects in place of branches, so that it is compiled to vectors: half as long as NumPy takes, which weights of files are many of.
void to_floats(const Half* halves, float* floats, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t sign = std::uint32_t{halves[i].bits & 0x8000U} << 16, rest = halves[i].bits & 0x7FFFU;
    const float tiny = static_cast<float>(static_cast<std::int32_t>(rest)) * 0x1p-24F;  // exact
    std::uint32_t bits;
    std::memcpy(&bits, &tiny, sizeof(bits));
    bits = rest >= 0x0400U ? (rest << 13) + (112U << 23) : bits;
    bits = rest >= 0x7C00U ? (rest << 13) + (224U << 23) : bits;  // infinite, or NaN
    floats[i] = of_bits(sign | bits);
  }
}

Half to_half(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  const std::uint32_t sign = bits >> 16 & 0x8000U, rest = bits & 0x7FFFFFFFU;
  std::uint32_t y;
  if (rest > 0x7F800000U) {
    y = 0x7E00U | (rest >> 13 & 0x3FFU);  // NaN
  } else if (rest >= 0x47800000U) {
    y = 0x7C00U;
  } else if (rest >= 0x38800000U) {
    const std::uint32_t based = rest - (112U << 23);
    y = (based + 0xFFFU + (based >> 13 & 1U)) >> 13;  // may carry into infinity, as it should
  } else {
    // The sum's last bit weighs 2^-24, that of the smallest half.
    std::uint32_t sum;
    const float rounded = of_bits(rest) + 0.5F;
    std::memcpy(&sum, &rounded, sizeof(sum));
    y = sum - 0x3F000000U;
  }
  return {static_cast<std::uint16_t>(sign | y)};
}

void cast_all(const float* x, std::int32_t* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = cast<std::int32_t>(x[i]);
}

}  // namespace dwsep::runtime
