// Random arrays for tests: values, their places in memory, and descriptions of ops.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/network/op.hpp"

namespace dwsep::test {

using runtime::Dims;
using Int = std::int64_t;

constexpr float kUntouched = -12345.0F;

inline std::size_t index(Int i) { return static_cast<std::size_t>(i); }

struct Random {
  std::mt19937_64 engine;
  Int operator()(Int least, Int most) {
    // Not a distribution of the library: each library has its own.
    return least + static_cast<Int>(engine() % static_cast<std::uint64_t>(most - least + 1));
  }
  Int of(std::initializer_list<Int> values) { return *(values.begin() + (*this)(0, static_cast<Int>(values.size()) - 1)); }
  const char* word(std::initializer_list<const char*> words) { return *(words.begin() + (*this)(0, static_cast<Int>(words.size()) - 1)); }
  float real(float most) { return static_cast<float>((*this)(-1000000, 1000000)) * 1e-6F * most; }
};

/// Calls f(indices) for all elements, in order.
template <class F>
void for_each(const Dims& shape, const F& f) {
  Dims at = shape;
  for (Int n = 0, count = shape.count(); n < count; ++n) {
    Int rest = n;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      at[i] = rest % shape[i];
      rest /= shape[i];
    }
    f(const_cast<const Dims&>(at));
  }
}

/// Values without a place.
struct Values {
  Dims shape;
  std::vector<double> v;

  Values() = default;
  explicit Values(const Dims& s, double value = 0.0) : shape(s), v(index(s.count()), value) {}
  double& at(const Dims& i) {
    Int place = 0;
    for (int k = 0; k < shape.rank(); ++k) place = place * shape[k] + i[k];
    return v[index(place)];
  }
};

/// An array in memory of exactly its size: gaps between its rows, axes reversed.
struct Placed {
  std::vector<float> memory;
  runtime::Array array;

  Placed(Random& random, const Dims& shape) {
    const bool gaps = random(0, 1) == 1;
    array.shape = array.strides = shape;
    Int stride = 1, first = random.of({0, 0, 1, 5}), floats = first + 1;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      array.strides[i] = stride;
      const Int reach = shape.count() == 0 ? 0 : stride * (shape[i] - 1);
      floats += reach;
      stride = stride * shape[i] + (gaps ? random.of({0, 0, 1, 3, 16}) : 0);
      if (i + 1 == shape.rank() || !gaps || random(0, 4) > 0) continue;
      first += reach;
      array.strides[i] *= -1;
    }
    memory.assign(index(floats), kUntouched);
    array.data = memory.data() + first;
  }
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;

  static float& at(const runtime::Array& a, const Dims& i) {
    auto* p = a.as<float>();
    for (int k = 0; k < a.shape.rank(); ++k) p += i[k] * a.strides[k];
    return *p;
  }
  void fill(Values& values) {
    for_each(array.shape, [&](const Dims& i) { at(array, i) = static_cast<float>(values.at(i)); });
  }
};

inline runtime::Description describe(const std::string& kind) {
  runtime::Description d;
  d.kind = kind;
  d.name = "a " + kind;
  return d;
}
inline std::vector<Int> list(const Dims& d) { return {d.begin(), d.end()}; }
inline runtime::RawWeights weights(const Values& values) {
  const auto memory = std::make_shared<std::vector<float>>(values.v.begin(), values.v.end());
  return {values.shape, std::shared_ptr<const void>(memory, memory->data()), {}};
}

}  // namespace dwsep::test
