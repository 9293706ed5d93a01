#include "runtime/network/ops/pairs.hpp"

#include <type_traits>
#include <utility>

#include "runtime/network/ops/cast.hpp"
#include "runtime/network/ops/repeated.hpp"

namespace dwsep::runtime {
namespace {

template <class T, class Y, class F>
[[gnu::always_inline]] inline void loop(const T* a, const T* b, Y* __restrict y, std::int64_t n, const F& f) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<Y>(f(a[i], b[i]));
}

#if defined(__x86_64__)
template <class T, class Y, class F>
[[gnu::target("avx2")]] void loop_avx2(const T* a, const T* b, Y* y, std::int64_t n, const F& f) {
  loop(a, b, y, n, f);
}
#endif

/// Comparisons of int64 are compiled for AVX2 too: others have no vectors for them, and 200,704 took 150 us.
template <class T, class Y, class F>
[[gnu::always_inline]] inline void each(const Repeated<T>& a, const Repeated<T>& b, Y* y, std::int64_t n, const F& f) {
  for_pieces(a, b, n, [&](const T* p, const T* q, std::int64_t first, std::int64_t count) {
#if defined(__x86_64__)
    if constexpr (sizeof(T) == 8 && sizeof(Y) == 1) {
      if (uses_avx2()) return loop_avx2(p, q, y + first, count, f);
    }
#endif
    loop(p, q, y + first, count, f);
  });
}

/// The type that elements of T go by way of: bytes are integers of 32 bits, float16 are floats.
template <class T>
using Wide = std::conditional_t<sizeof(T) == 1, std::int32_t, std::conditional_t<std::is_same_v<T, Half>, float, T>>;

constexpr std::int64_t kWideBlock = 128;

/// f(a, b, first, count) for pieces of two arrays in their wide type.
template <class T, class F>
void widened(RowOperand a, RowOperand b, std::int64_t n, const F& f) {
  Wide<T> wide[2][kWideBlock];
  const RowOperand* const from[2] = {&a, &b};
  for (int k = 0; k < 2; ++k) {
    if (from[k]->step == 0) cast_row(static_cast<const T*>(from[k]->data), wide[k], 1);
  }
  for (std::int64_t i = 0; i < n; i += kWideBlock) {
    const std::int64_t count = std::min(kWideBlock, n - i);
    for (int k = 0; k < 2; ++k) {
      if (from[k]->step != 0) cast_row(static_cast<const T*>(from[k]->data) + i, wide[k], count);
    }
    f(RowOperand{wide[0], a.step}, RowOperand{wide[1], b.step}, i, count);
  }
}

template <class T>
T quotient(T a, T b) {
  if (b == 0) return 0;
  return b == T{-1} ? static_cast<T>(std::make_unsigned_t<T>{0} - static_cast<std::make_unsigned_t<T>>(a)) : a / b;
}
template <class T>
T remainder(T a, T b) {
  if (b == 0 || b == T{-1}) return 0;
  const T rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// Bits of any integers, byte by byte: of bools, which all but 0 are true of, `most` is 1.
void combine_bits(IntegerFunction function, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* __restrict y, std::int64_t n,
                  std::uint8_t most) {
  const auto loop = [&](const auto& f) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<std::uint8_t>(f(std::min(a[i], most), std::min(b[i], most)));
  };
  if (function == IntegerFunction::bit_and) return loop([](auto u, auto v) { return u & v; });
  if (function == IntegerFunction::bit_or) return loop([](auto u, auto v) { return u | v; });
  loop([](auto u, auto v) { return u ^ v; });
}

}  // namespace

// Floats and one number: 60,000 took 85 us with steps that the compiler does not know, 13 so (Zen 3, as all figures here).
template <class T>
void compare_rows(Comparison how, RowOperand a, RowOperand b, std::uint8_t* y, std::int64_t n) {
  if constexpr (!std::is_same_v<T, Wide<T>>) {
    widened<T>(a, b, n,
               [&](RowOperand p, RowOperand q, std::int64_t i, std::int64_t count) { compare_rows<Wide<T>>(how, p, q, y + i, count); });
  } else {
    // Few loops: what is no equality is "greater", of which "greater or equal" is the opposite but for NaN.
    constexpr bool kOpposite = !std::is_same_v<T, float>;
    if (how == Comparison::less || how == Comparison::less_equal) {
      how = how == Comparison::less ? Comparison::greater : Comparison::greater_equal;
      std::swap(a, b);
    }
    const bool opposite = how == Comparison::not_equal || (kOpposite && how == Comparison::greater_equal);
    const std::uint8_t flip = opposite ? 1 : 0;
    if (kOpposite && how == Comparison::greater_equal) std::swap(a, b);
    const Repeated<T> p(static_cast<const T*>(a.data), a.step, n), q(static_cast<const T*>(b.data), b.step, n);
    if (how == Comparison::equal || how == Comparison::not_equal)
      return each(p, q, y, n, [=](T u, T v) { return (u == v ? 1 : 0) ^ flip; });
    if (!kOpposite && how == Comparison::greater_equal) return each(p, q, y, n, [](T u, T v) { return u >= v; });
    each(p, q, y, n, [=](T u, T v) { return (u > v ? 1 : 0) ^ flip; });
  }
}

// 200,704 int32 added to as many took 750 us one by one, with a choice of the function for each.
template <class T>
void combine_rows(IntegerFunction function, RowOperand a, RowOperand b, void* y, std::int64_t n) {
  if (function >= IntegerFunction::bit_and) {
    const Repeated<T> p(static_cast<const T*>(a.data), a.step, n), q(static_cast<const T*>(b.data), b.step, n);
    return for_pieces(p, q, n, [&](const T* u, const T* v, std::int64_t first, std::int64_t count) {
      combine_bits(function, reinterpret_cast<const std::uint8_t*>(u), reinterpret_cast<const std::uint8_t*>(v),
                   reinterpret_cast<std::uint8_t*>(static_cast<T*>(y) + first), count * static_cast<std::int64_t>(sizeof(T)),
                   std::is_same_v<T, Bool> ? 1 : 255);
    });
  }
  if constexpr (sizeof(T) == 1) {
    widened<T>(a, b, n, [&](RowOperand p, RowOperand q, std::int64_t i, std::int64_t count) {
      std::int32_t results[kWideBlock];
      combine_rows<std::int32_t>(function, p, q, results, count);
      cast_row(static_cast<const std::int32_t*>(results), static_cast<T*>(y) + i, count);
    });
  } else if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    const Repeated<T> p(static_cast<const T*>(a.data), a.step, n), q(static_cast<const T*>(b.data), b.step, n);
    T* const to = static_cast<T*>(y);
    switch (function) {
      case IntegerFunction::add:
        return each(p, q, to, n, [](T u, T v) { return static_cast<U>(u) + static_cast<U>(v); });
      case IntegerFunction::sub:
        return each(p, q, to, n, [](T u, T v) { return static_cast<U>(u) - static_cast<U>(v); });
      case IntegerFunction::mul:
        return each(p, q, to, n, [](T u, T v) { return static_cast<U>(u) * static_cast<U>(v); });
      case IntegerFunction::div:
        return each(p, q, to, n, quotient<T>);
      case IntegerFunction::mod:
        return each(p, q, to, n, remainder<T>);
      case IntegerFunction::min:
        return each(p, q, to, n, [](T u, T v) { return u < v ? u : v; });
      default:
        return each(p, q, to, n, [](T u, T v) { return u < v ? v : u; });
    }
  }
}

template void compare_rows<float>(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
template void compare_rows<std::int8_t>(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
template void compare_rows<std::uint8_t>(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
template void compare_rows<std::int32_t>(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
template void compare_rows<std::int64_t>(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
template void compare_rows<Half>(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
template void compare_rows<Bool>(Comparison, RowOperand, RowOperand, std::uint8_t*, std::int64_t);
template void combine_rows<float>(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);
template void combine_rows<std::int8_t>(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);
template void combine_rows<std::uint8_t>(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);
template void combine_rows<std::int32_t>(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);
template void combine_rows<std::int64_t>(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);
template void combine_rows<Half>(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);
template void combine_rows<Bool>(IntegerFunction, RowOperand, RowOperand, void*, std::int64_t);

}  // namespace dwsep::runtime
