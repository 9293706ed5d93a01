// Data types and quantization. Values of networks have any of them; layers compute with float32 alone and refuse arrays of other types by
// name.
#pragma once

#include <cstdint>
#include <vector>

#pragma GCC visibility push(default)
namespace dwsep {

/// The values are those of files and of C (dwsep_dtype): they never change.
enum class DType : std::int32_t {
  float32 = 0,
  int8 = 1,
  uint8 = 2,
  int32 = 3,
  float16 = 4,
  int64 = 5,
  boolean = 6,  ///< one byte, 0 or 1
};
inline constexpr int kDTypes = 7;

/// Whether an id is one of the above.
constexpr bool is_dtype(std::int64_t id) { return id >= 0 && id < kDTypes; }

/// NumPy's name of it.
constexpr const char* name_of(DType type) {
  constexpr const char* names[kDTypes] = {"float32", "int8", "uint8", "int32", "float16", "int64", "bool"};
  return names[static_cast<int>(type)];
}

/// Bytes of an element.
constexpr std::int64_t size_of(DType type) {
  constexpr std::int64_t sizes[kDTypes] = {4, 1, 1, 4, 2, 8, 1};
  return sizes[static_cast<int>(type)];
}

/// The DType of a C++ type.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<std::int8_t> {
  static constexpr DType value = DType::int8;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};

/// Real value = scale * (stored value - zero_point).
struct Quantization {
  std::vector<float> scales;              ///< finite and positive: one for the array, or one for each index along `axis`
  std::vector<std::int32_t> zero_points;  ///< as many
  int axis = -1;                          ///< counted from 0; -1 where there is one scale

  bool operator==(const Quantization& o) const { return scales == o.scales && zero_points == o.zero_points && axis == o.axis; }
  bool operator!=(const Quantization& o) const { return !(*this == o); }
};

}  // namespace dwsep
#pragma GCC visibility pop
