// The C++ types of an array's elements, for ops that take several.
#pragma once

#include <cstdint>
#include <cstring>

#include "dwsep/types.hpp"

namespace dwsep::runtime {

/// The bits of a float16.
struct Half {
  std::uint16_t bits;
};

/// Whether loops that are no kernels may be compiled for AVX2 a second time, by which processors convert float16 too.
bool uses_avx2();

float to_float(Half h);
void to_floats(const Half* halves, float* floats, std::int64_t count);
/// Rounded to the nearest, ties to even.
void to_halves(const float* floats, Half* halves, std::int64_t count);

/// A bool; bytes of a file may be other than 0 and 1, all of which are true.
struct Bool {
  std::uint8_t byte;
};

/// Calls f with an element of the type, 0.
template <class F>
decltype(auto) with_type(DType type, const F& f) {
  switch (type) {
    case DType::int8:
      return f(std::int8_t{0});
    case DType::uint8:
      return f(std::uint8_t{0});
    case DType::int32:
      return f(std::int32_t{0});
    case DType::float16:
      return f(Half{0});
    case DType::int64:
      return f(std::int64_t{0});
    case DType::boolean:
      return f(Bool{0});
    case DType::float32:
      break;
  }
  return f(0.0F);
}

/// Calls f with an element of any type of that size, for what only moves elements. Four bytes go as float, for which there are kernels.
template <class F>
decltype(auto) with_size(DType type, const F& f) {
  switch (size_of(type)) {
    case 1:
      return f(std::uint8_t{0});
    case 2:
      return f(std::uint16_t{0});
    case 8:
      return f(std::int64_t{0});
    default:
      return f(0.0F);
  }
}

}  // namespace dwsep::runtime
