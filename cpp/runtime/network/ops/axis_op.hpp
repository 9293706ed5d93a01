// The base of ops along one axis.
#pragma once

#include <array>
#include <type_traits>

#include "runtime/network/ops/elements.hpp"
#include "runtime/network/ops/lines.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {

using Offsets = std::array<std::int64_t, 2>;

template <class T>
T sum_of(T a, T b) {
  if constexpr (std::is_same_v<T, float>) {
    return a + b;
  } else {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
}

template <class T>
T product_of(T a, T b) {
  if constexpr (std::is_same_v<T, float>) {
    return a * b;
  } else {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
}

/// Extremes, of which NaN is one.
template <class T>
T largest_of(T a, T b) {
  return b > a || b != b ? b : a;
}

template <class T>
T least_of(T a, T b) {
  return b < a || b != b ? b : a;
}

class AxisOp : public PlainOp {
 public:
  explicit AxisOp(const Description& d) : PlainOp(d), axis_(static_cast<int>(d.integer("axis", 0, Dims::kMaxRank - 1))) {}

 protected:
  const Dims& checked_input(const std::vector<Dims>& inputs, std::size_t count) const {
    check_inputs(inputs, count);
    axis_of(axis_, inputs[0].rank());
    return inputs[0];
  }
  /// What is left of the one input when the axis becomes one element.
  Dims one_along_axis(const std::vector<Dims>& inputs) const {
    Dims y = checked_input(inputs, 1);
    if (y[axis_] == 0) reject("input", "elements along axis " + std::to_string(axis_), to_string(y));
    y[axis_] = 1;
    return y;
  }
  static void check_number(const Description& d, const ValueType& type) {
    if (type.dtype == DType::float16 || type.dtype == DType::boolean) d.reject("input 0", "numbers", name_of(type.dtype));
  }
  /// Calls f with an element of the type.
  template <class F>
  static void with_number(DType type, const F& f) {
    with_type(type, [&](auto element) {
      using T = decltype(element);
      if constexpr (std::is_arithmetic_v<T>) f(element);
    });
  }

  int axis_;
};

}  // namespace dwsep::runtime
