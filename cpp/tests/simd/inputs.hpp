// Values for every lane: all pairs of those at which something changes, and then random ones.
#pragma once

#include <cstdint>
#include <cstring>

#include "simd/vec.hpp"
#include "tests/simd/report.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class T>
struct Kind;
template <>
struct Kind<float> {
  static constexpr const char* name = "float";
  using Bits = std::uint32_t;
  static constexpr float kEdges[] = {0.0F,
                                     -0.0F,
                                     1.0F,
                                     -1.0F,
                                     0.5F,
                                     -0.5F,
                                     1.5F,
                                     2.5F,
                                     -2.5F,
                                     0.3F,
                                     -0.3F,
                                     0.49999997F,
                                     8388607.5F,
                                     -8388607.5F,
                                     8388609.0F,
                                     16777216.0F,
                                     2147483520.0F,
                                     -2147483648.0F,
                                     1e-45F,
                                     -1e-45F,
                                     1.17549435e-38F,
                                     3.40282347e38F,
                                     -3.40282347e38F,
                                     __builtin_inff(),
                                     -__builtin_inff(),
                                     __builtin_nanf("")};
};
template <>
struct Kind<std::int32_t> {
  static constexpr const char* name = "int32";
  using Bits = std::uint32_t;
  static constexpr std::int32_t kEdges[] = {0,     1,     -1,    2,      127,   128,    -128,  -129,      255,        256,
                                            32767, 32768, 32769, -32768, 65535, -32769, 65536, 123456789, 2147483647, -2147483647 - 1};
};
template <>
struct Kind<std::int16_t> {
  static constexpr const char* name = "int16";
  using Bits = std::uint16_t;
  static constexpr std::int16_t kEdges[] = {0, 1, -1, 2, 3, 127, 128, -128, -129, 255, 256, -256, 16384, 32766, 32767, -32767, -32768};
};
template <>
struct Kind<std::int8_t> {
  static constexpr const char* name = "int8";
  using Bits = std::uint8_t;
  static constexpr std::int8_t kEdges[] = {0, 1, -1, 2, 15, 16, 63, 64, 126, 127, -127, -128};
};

struct Random {
  std::uint64_t state;
  std::uint64_t operator()() {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    return state;
  }
};

template <class To, class From>
To bits_as(From x) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &x, sizeof to);
  return to;
}

template <class T>
T random_value(Random& random) {
  const std::uint64_t r = random();
  if constexpr (sizeof(T) == 4 && static_cast<T>(0.5) != 0) {
    // Any bits at all, or a number of everyday size.
    if (r % 2 == 0) return static_cast<T>(static_cast<double>(static_cast<std::int64_t>(random() % 2000001U) - 1000000) / 1024.0);
  }
  return bits_as<T>(static_cast<typename Kind<T>::Bits>(r >> 16U));
}

constexpr int kCount = 4096;

/// Three arrays; in the first two all pairs of edges come first.
template <class T>
struct Inputs {
  T a[kCount], b[kCount], c[kCount];

  Inputs() {
    constexpr int kEdges = static_cast<int>(sizeof(Kind<T>::kEdges) / sizeof(T));
    Random random{0x9E3779B97F4A7C15U + sizeof(T)};
    for (int i = 0; i < kCount; ++i) {
      const bool edges = i < kEdges * kEdges;
      a[i] = edges ? Kind<T>::kEdges[i / kEdges] : random_value<T>(random);
      b[i] = edges ? Kind<T>::kEdges[i % kEdges] : random_value<T>(random);
      c[i] = random() % 4 == 0 ? Kind<T>::kEdges[random() % kEdges] : random_value<T>(random);
    }
  }
};

template <class T>
bool same_bits(T x, T y) {
  return std::memcmp(&x, &y, sizeof x) == 0;
}
/// Of what is computed, any NaN will do.
template <class T>
bool same_value(T x, T y) {
  return same_bits(x, y) || (x != x && y != y);
}

template <class T>
void expect(bool holds, const char* operation, int at) {
  if (!holds) simd_tests::failed(operation, Kind<T>::name, static_cast<std::size_t>(at));
}

/// Checks that lane i of the vector is scalar(i), for all lanes.
template <class T, class F>
void expect_lanes(const char* operation, int at, Vec<T> v, const F& scalar) {
  T lanes[Vec<T>::kLanes];
  std::memcpy(lanes, &v, sizeof lanes);
  for (int i = 0; i < Vec<T>::kLanes; ++i) expect<T>(same_value<T>(lanes[i], static_cast<T>(scalar(i))), operation, at + i);
}
/// The same where an operation only moves bits.
template <class T, class F>
void expect_moved(const char* operation, int at, Vec<T> v, const F& scalar) {
  T lanes[Vec<T>::kLanes];
  std::memcpy(lanes, &v, sizeof lanes);
  for (int i = 0; i < Vec<T>::kLanes; ++i) expect<T>(same_bits<T>(lanes[i], scalar(i)), operation, at + i);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
