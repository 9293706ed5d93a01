// Addresses of the rows of a register tile.
#pragma once

#include <type_traits>

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Addresses of up to 18 rows from two pointers and four strides: x86 scales an index by 1, 2, 4 or 8, so strides of 1, 3, 5 and 7 rows
/// reach nine rows from one pointer. Opaque, because the compiler would otherwise keep a pointer a row and spill them.
template <class T>
struct RowAddresses {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  Byte* base[2];
  std::int64_t s1, s3, s5, s7;

  RowAddresses() = default;
  [[gnu::always_inline]] inline RowAddresses(T* a, std::int64_t row) {
    s1 = opaque(row * static_cast<std::int64_t>(sizeof(T)));
    s3 = opaque(3 * s1);
    s5 = opaque(5 * s1);
    s7 = opaque(7 * s1);
    base[0] = reinterpret_cast<Byte*>(a);
    base[1] = base[0] + 9 * s1;
  }
  template <int Row>
  [[gnu::always_inline]] inline T* at() const {
    constexpr int r = Row % 9;
    Byte* p = base[Row / 9];
    if constexpr (r == 3 || r == 6) {
      p += s3 * (r / 3);
    } else if constexpr (r == 5) {
      p += s5;
    } else if constexpr (r == 7) {
      p += s7;
    } else {
      p += s1 * r;
    }
    return reinterpret_cast<T*>(p);
  }
  [[gnu::always_inline]] inline void advance(std::int64_t elements) {
    base[0] = opaque(base[0] + elements * static_cast<std::int64_t>(sizeof(T)));
    base[1] = opaque(base[1] + elements * static_cast<std::int64_t>(sizeof(T)));
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
