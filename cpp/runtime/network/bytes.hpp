// Little-endian records in memory, written and read with every length checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/layers/geometry.hpp"
#include "runtime/network/value_type.hpp"
#include "runtime/utf8.hpp"

namespace dwsep::runtime {

class ByteWriter {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
  }
  /// How many records follow.
  void count(std::size_t n) {
    constexpr std::uint32_t most = ~std::uint32_t{0};
    if (n > most) reject("network", "texts and lists of at most " + std::to_string(most) + " bytes or entries", std::to_string(n));
    number(static_cast<std::uint32_t>(n));
  }
  void text(const std::string& s) {
    count(s.size());
    bytes_.insert(bytes_.end(), s.begin(), s.end());
  }
  void dims(const Dims& d) {
    number(static_cast<std::uint8_t>(d.rank()));
    for (const std::int64_t size : d) number(size);
  }
  template <class T>
  void list(const std::vector<T>& values) {
    count(values.size());
    for (const T v : values) number(v);
  }
  /// A data type, and how many scales: 0 where there is no quantization, which follows otherwise.
  void type(const ValueType& t) {
    number(static_cast<std::uint32_t>(t.dtype));
    count(t.quantization == nullptr ? 0 : t.quantization->scales.size());
    if (t.quantization == nullptr) return;
    for (const float scale : t.quantization->scales) number(scale);
    for (const std::int32_t zero : t.quantization->zero_points) number(zero);
    number(static_cast<std::int32_t>(t.quantization->axis));
  }
  const std::vector<char>& bytes() const { return bytes_; }

 private:
  std::vector<char> bytes_;
};

[[noreturn]] inline void truncated(const std::string& wanted, std::uint64_t left) {
  throw std::invalid_argument("truncated file: " + wanted + " where " + std::to_string(left) + " bytes are left");
}

/// Throws std::invalid_argument where more is asked for than there is.
class ByteReader {
 public:
  ByteReader(const char* data, std::size_t size) : at_(data), left_(size) {}

  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    std::string s(take(size), size);
    check_utf8(s, "text of the file");
    return s;
  }
  Dims dims() {
    Dims d;
    const int rank = number<std::uint8_t>();
    if (rank > Dims::kMaxRank) reject("file", "arrays of at most 8 axes", std::to_string(rank));
    for (int i = 0; i < rank; ++i) d.push_back(number<std::int64_t>());
    return d;
  }
  /// A number of records that follow, each of at least `least` bytes: never more than there is room for.
  std::size_t count(std::size_t least) {
    const auto n = number<std::uint32_t>();
    if (n > left_ / least) truncated("a list of " + std::to_string(n) + " entries", left_);
    return n;
  }
  template <class T>
  std::vector<T> list() {
    std::vector<T> list(count(sizeof(T)));
    for (T& v : list) v = number<T>();
    return list;
  }
  /// A data type that may be none of this version's; `id` gets its number.
  ValueType type(std::uint32_t* id) {
    ValueType t;
    *id = number<std::uint32_t>();
    if (is_dtype(*id)) t.dtype = static_cast<DType>(*id);
    const std::size_t scales = count(sizeof(float) + sizeof(std::int32_t));
    if (scales == 0) return t;
    Quantization q;
    q.scales.resize(scales);
    q.zero_points.resize(scales);
    for (float& scale : q.scales) scale = number<float>();
    for (std::int32_t& zero : q.zero_points) zero = number<std::int32_t>();
    q.axis = number<std::int32_t>();
    t.quantization = std::make_shared<const Quantization>(std::move(q));
    return t;
  }
  bool done() const { return left_ == 0; }

 private:
  const char* take(std::size_t size) {
    if (size > left_) truncated("a record of " + std::to_string(size) + " bytes", left_);
    const char* data = at_;
    at_ += size;
    left_ -= size;
    return data;
  }

  const char* at_;
  std::size_t left_;
};

}  // namespace dwsep::runtime
