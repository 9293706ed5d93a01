// Comparisons of two rows, and arithmetic of integers: loops that the compiler makes vectors of.
#pragma once

#include <cstdint>

namespace dwsep::runtime {

enum class Comparison : int { equal, not_equal, less, less_equal, greater, greater_equal };
enum class IntegerFunction : int { add, sub, mul, div, mod, min, max, bit_and, bit_or, bit_xor };

/// Elements of a type that the function knows; the step from one to the next is 0 or 1.
struct RowOperand {
  const void* data;
  std::int64_t step;
};

using CompareRow = void (*)(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
using CombineRow = void (*)(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);

/// y[i] = whether a[i] and b[i] compare so.
template <class T>
void compare_rows(Comparison how, RowOperand a, RowOperand b, std::uint8_t* y, std::int64_t n);

/// y[i] = f(a[i], b[i]), as C does it, but what overflows loses its upper bits, a quotient of nothing is 0, and a remainder has the
/// divisor's sign. Bits of bools are those of 0 and 1. Of integers and bools alone.
template <class T>
void combine_rows(IntegerFunction function, RowOperand a, RowOperand b, void* y, std::int64_t n);

}  // namespace dwsep::runtime
