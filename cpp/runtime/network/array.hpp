// Arrays of any rank, as the steps of a network see them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "dwsep/types.hpp"

namespace dwsep::runtime {

/// Up to eight sizes or strides, outermost first.
class Dims {
 public:
  static constexpr int kMaxRank = 8;

  Dims() = default;
  Dims(std::initializer_list<std::int64_t> values) {
    for (const std::int64_t v : values) push_back(v);
  }

  int rank() const { return rank_; }
  /// The caller keeps within kMaxRank.
  void push_back(std::int64_t v) { values_[static_cast<std::size_t>(rank_++)] = v; }
  std::int64_t& operator[](int i) { return values_[static_cast<std::size_t>(i)]; }
  std::int64_t operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }
  std::int64_t back() const { return (*this)[rank_ - 1]; }
  const std::int64_t* begin() const { return values_.data(); }
  const std::int64_t* end() const { return values_.data() + rank_; }

  /// The product of all sizes. Shapes in a network were checked not to overflow.
  std::int64_t count() const {
    std::int64_t n = 1;
    for (const std::int64_t v : *this) n *= v;
    return n;
  }

  friend bool operator==(const Dims& a, const Dims& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  friend bool operator!=(const Dims& a, const Dims& b) { return !(a == b); }

 private:
  int rank_ = 0;
  std::array<std::int64_t, kMaxRank> values_{};
};

/// No size, and no product of the sizes of one array, exceeds this.
inline constexpr std::int64_t kMaxCount = std::int64_t{1} << 40;
/// Whether an array can have these sizes. A size of 0 must not hide others whose product overflows: strides are computed from them.
bool possible(const Dims& shape);

std::string to_string(const Dims& d);
/// Strides of a contiguous array.
Dims dense_strides(const Dims& shape);
/// Whether these are such strides, but for axes of one element.
bool is_dense(const Dims& shape, const Dims& strides);

/// Strides count elements and may be negative. The last axis has stride 1, unless its size is 1 or 0.
struct Array {
  void* data = nullptr;
  Dims shape, strides;
  DType dtype = DType::float32;
  const Quantization* quantization = nullptr;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  /// The place of an element, whatever its type.
  void* at(std::int64_t offset) const { return static_cast<char*>(data) + offset * size_of(dtype); }
  bool dense() const { return is_dense(shape, strides); }
};

}  // namespace dwsep::runtime
