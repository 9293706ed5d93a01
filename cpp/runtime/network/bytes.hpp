// Little-endian records in memory, written and read with every length checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/layers/geometry.hpp"
#include "runtime/network/array.hpp"
#include "runtime/network/utf8.hpp"

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
    if (n > most) reject("network", "of texts and lists of at most " + std::to_string(most) + " bytes or entries", std::to_string(n));
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
  const std::vector<char>& bytes() const { return bytes_; }

 private:
  std::vector<char> bytes_;
};

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
    if (rank > Dims::kMaxRank) reject("file", "of arrays of at most 8 axes", std::to_string(rank));
    for (int i = 0; i < rank; ++i) d.push_back(number<std::int64_t>());
    return d;
  }
  /// A number of records that follow, each of at least `least` bytes: never more than there is room for.
  std::size_t count(std::size_t least) {
    const auto n = number<std::uint32_t>();
    if (n > left_ / least) reject("file", "whole", "a list that is longer than the file");
    return n;
  }
  bool done() const { return left_ == 0; }

 private:
  const char* take(std::size_t size) {
    if (size > left_) reject("file", "whole", "one that ends in the middle of a record");
    const char* data = at_;
    at_ += size;
    left_ -= size;
    return data;
  }

  const char* at_;
  std::size_t left_;
};

}  // namespace dwsep::runtime
