// One element of another type.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "runtime/network/ops/elements.hpp"

namespace dwsep::runtime {

/// Towards zero, as C does it, and defined for all: beyond int64 the nearest one, NaN is 0.
template <class F>
std::int64_t truncated_integer(F x) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  if (x != x) return 0;
  if (x >= static_cast<F>(0x1p63)) return most;
  if (x < static_cast<F>(-0x1p63)) return least;
  return static_cast<std::int64_t>(x);
}

/// As NumPy's astype: floats are cut towards zero, integers that do not fit lose their upper bits, everything but 0 is true. A float that
/// int32, or int64, does not reach becomes the nearest of them, and NaN 0; int8 and uint8 go by way of int32.
template <class To, class From>
To cast(From x) {
  if constexpr (std::is_same_v<From, To>) {
    return x;
  } else if constexpr (std::is_same_v<From, Half>) {
    return cast<To>(to_float(x));
  } else if constexpr (std::is_same_v<From, Bool>) {
    return cast<To>(static_cast<std::int32_t>(x.byte != 0));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return {static_cast<std::uint8_t>(x != From{0})};
  } else if constexpr (std::is_same_v<To, Half>) {
    Half y;
    const auto wide = static_cast<float>(x);
    to_halves(&wide, &y, 1);
    return y;
  } else if constexpr (std::is_floating_point_v<From> && std::is_same_v<To, std::int32_t>) {
    // Conditions on values alone, so that it becomes vectors.
    constexpr auto least = static_cast<From>(-0x1p31), beyond = static_cast<From>(0x1p31);
    const auto y = static_cast<std::int32_t>(x >= least && x < beyond ? x : From{0});
    return x >= beyond ? std::numeric_limits<std::int32_t>::max() : x < least ? std::numeric_limits<std::int32_t>::min() : y;
  } else if constexpr (std::is_floating_point_v<From> && std::is_same_v<To, std::int64_t>) {
    return truncated_integer(x);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return static_cast<To>(cast<std::int32_t>(x));
  } else {
    return static_cast<To>(x);
  }
}

template <class T>
inline constexpr bool kIsByte = sizeof(T) == 1;
template <class A, class B>
inline constexpr bool kByteAndLong = kIsByte<A>&& std::is_same_v<B, std::int64_t>;

/// One loop for pairs of types of which `cast_row` makes all others.
template <class From, class To>
void cast_all(const From* x, To* y, std::int64_t count);

/// Of any types. float16 goes by way of floats, bytes to and from 32 bits: integers that are cut twice are cut once.
template <class From, class To>
void cast_row(const From* x, To* y, std::int64_t count) {
  constexpr bool kOfHalf = std::is_same_v<From, Half>, kToHalf = std::is_same_v<To, Half>;
  constexpr bool kTested = std::is_same_v<To, Bool> && !kOfHalf;  // all bits of a number say whether it is true
  const auto by_way_of = [&](auto between) {
    decltype(between) block[256];
    for (std::int64_t i = 0, n; i < count; i += n) {
      n = std::min<std::int64_t>(count - i, 256);
      cast_row(x + i, block, n);
      cast_row(static_cast<const decltype(between)*>(block), y + i, n);
    }
  };
  if constexpr (std::is_same_v<From, To> || (kIsByte<From> && kIsByte<To> && !std::is_same_v<From, Bool> && !kTested)) {
    std::memcpy(y, x, static_cast<std::size_t>(count) * sizeof(To));
  } else if constexpr (kIsByte<From> && kIsByte<To>) {
    cast_all(reinterpret_cast<const std::uint8_t*>(x), reinterpret_cast<Bool*>(y), count);
  } else if constexpr (kOfHalf && std::is_same_v<To, float>) {
    to_floats(x, y, count);
  } else if constexpr (kToHalf && std::is_same_v<From, float>) {
    to_halves(x, y, count);
  } else if constexpr (kOfHalf || kToHalf) {
    by_way_of(0.0F);
  } else if constexpr (kByteAndLong<From, To> || (!kTested && (kByteAndLong<To, From> || (kIsByte<To> && std::is_same_v<From, float>)))) {
    by_way_of(std::int32_t{0});
  } else if constexpr (std::is_same_v<To, std::int8_t>) {
    cast_all(x, reinterpret_cast<std::uint8_t*>(y), count);
  } else {
    cast_all(x, y, count);
  }
}

}  // namespace dwsep::runtime
