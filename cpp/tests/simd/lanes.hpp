// Operations on integers and those that move lanes, against scalar loops.
#pragma once

#include "simd/vec.hpp"
#include "tests/simd/inputs.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class T>
T saturated_to(std::int64_t x) {
  constexpr std::int64_t most = (std::int64_t{1} << (8 * sizeof(T) - 1)) - 1;
  return static_cast<T>(x > most ? most : x < -most - 1 ? -most - 1 : x);
}

/// f(at, a, b, c) for vectors from all over the inputs.
template <class T, class F>
void for_vectors(const Inputs<T>& in, const F& f) {
  for (int at = 0; at + 2 * Vec<T>::kLanes <= kCount; at += Vec<T>::kLanes) f(at, in.a + at, in.b + at, in.c + at);
}

template <class T>
void check_moves(const Inputs<T>& in) {
  constexpr int kHalf = Vec<T>::kLanes / 2;
  for_vectors(in, [&](int at, const T* a, const T* b, const T* c) {
    const Vec<T> va = load(a), vb = load(b), vc = load(c), vd = load(b + 1);
    expect_moved("zip_lower", at, zip_lower(va, vb), [&](int i) { return i % 2 == 0 ? a[i / 2] : b[i / 2]; });
    expect_moved("zip_upper", at, zip_upper(va, vb), [&](int i) { return i % 2 == 0 ? a[kHalf + i / 2] : b[kHalf + i / 2]; });
    expect_moved("select_less", at, select_less(va, vb, vc, vd), [&](int i) { return a[i] < b[i] ? c[i] : b[i + 1]; });
  });
}

template <class To, class From>
void check_reinterpret(const Inputs<From>& in) {
  for_vectors(in, [&](int at, const From* a, const From*, const From*) {
    To lanes[Vec<To>::kLanes];
    std::memcpy(lanes, a, sizeof lanes);
    expect_moved("reinterpret", at, reinterpret<To>(load(a)), [&](int i) { return lanes[i]; });
  });
}

template <class T>
void check_integers(const Inputs<T>& in) {
  for_vectors(in, [&](int at, const T* a, const T* b, const T* c) {
    const Vec<T> va = load(a), vb = load(b), vc = load(c), vd = load(b + 1);
    const auto wide = [](T x) { return static_cast<std::int64_t>(x); };
    expect_lanes("add", at, add(va, vb), [&](int i) { return static_cast<T>(wide(a[i]) + wide(b[i])); });
    expect_lanes("sub", at, sub(va, vb), [&](int i) { return static_cast<T>(wide(a[i]) - wide(b[i])); });
    expect_lanes("maximum", at, maximum(va, vb), [&](int i) { return a[i] > b[i] ? a[i] : b[i]; });
    expect_lanes("minimum", at, minimum(va, vb), [&](int i) { return a[i] < b[i] ? a[i] : b[i]; });
    expect_lanes("bit_and", at, bit_and(va, vb), [&](int i) { return a[i] & b[i]; });
    expect_lanes("bit_or", at, bit_or(va, vb), [&](int i) { return a[i] | b[i]; });
    expect_lanes("bit_xor", at, bit_xor(va, vb), [&](int i) { return a[i] ^ b[i]; });
    expect_lanes("select_equal", at, select_equal(va, vb, vc, vd), [&](int i) { return a[i] == b[i] ? c[i] : b[i + 1]; });
    if constexpr (sizeof(T) < 4) {
      expect_lanes("add_saturated", at, add_saturated(va, vb), [&](int i) { return saturated_to<T>(wide(a[i]) + wide(b[i])); });
    }
    if constexpr (sizeof(T) > 1) {
      expect_lanes("mul", at, mul(va, vb), [&](int i) { return static_cast<T>(wide(a[i]) * wide(b[i])); });
      unroll<1, 8 * static_cast<int>(sizeof(T))>([&](auto n) {
        expect_lanes("shift_left", at, shift_left<n.value>(va),
                     [&](int i) { return static_cast<T>(wide(a[i]) * (std::int64_t{1} << n.value)); });
        expect_lanes("shift_right", at, shift_right<n.value>(va), [&](int i) { return a[i] >> n.value; });
      });
    }
  });
}

template <class To, class From>
void check_widths(const Inputs<From>& narrow_in, const Inputs<To>& wide_in) {
  constexpr int kHalf = Vec<To>::kLanes;
  for_vectors(narrow_in, [&](int at, const From* a, const From*, const From*) {
    expect_lanes("widen_lower", at, widen_lower(load(a)), [&](int i) { return a[i]; });
    expect_lanes("widen_upper", at, widen_upper(load(a)), [&](int i) { return a[kHalf + i]; });
  });
  for_vectors(wide_in, [&](int at, const To* a, const To* b, const To*) {
    expect_lanes("narrow", at, narrow(load(a), load(b)), [&](int i) { return saturated_to<From>(i < kHalf ? a[i] : b[i - kHalf]); });
  });
  // The edges of the narrower type, one by one.
  for (int x = -40000; x <= 40000; ++x) {
    const auto v = saturated_to<To>(x);
    expect_lanes("narrow", x, narrow(broadcast(v), broadcast(v)), [&](int) { return saturated_to<From>(v); });
  }
}

inline void check_narrow_four(const Inputs<std::int32_t>& in) {
  constexpr int kPart = I32::kLanes;
  for_vectors(in, [&](int at, const std::int32_t* a, const std::int32_t* b, const std::int32_t* c) {
    // Small numbers too: of those of any size most saturate.
    const I32 va = load(a), vb = shift_right<24>(load(b)), vc = load(c), vd = shift_right<23>(load(b + 1));
    expect_lanes("narrow of four", at, narrow(va, vb, vc, vd), [&](int i) {
      const std::int32_t parts[] = {a[i % kPart], b[i % kPart] >> 24, c[i % kPart], b[i % kPart + 1] >> 23};
      return saturated_to<std::int8_t>(parts[i / kPart]);
    });
  });
}

inline void check_dot_pairs(const Inputs<std::int16_t>& in) {
  for_vectors(in, [&](int at, const std::int16_t* a, const std::int16_t* b, const std::int16_t*) {
    expect_lanes("dot_pairs", at, dot_pairs(load(a), load(b)), [&](int i) {
      const auto product = [&](int k) { return static_cast<std::int64_t>(a[k]) * b[k]; };
      return static_cast<std::int32_t>(product(2 * i) + product(2 * i + 1));
    });
  });
}

/// All pairs of bytes, each next to all sorts of others.
inline void check_bytes() {
  constexpr int kAll = I8::kLanes;
  Random random{88172645463325252U};
  for (int first = 0; first < 65536; first += kAll / 2) {
    std::int8_t a[kAll], b[kAll];
    for (int i = 0; i < kAll; ++i) {
      const int pair = first + i / 2;
      a[i] = static_cast<std::int8_t>(i % 2 == 0 ? pair : static_cast<int>(random() % 256));
      b[i] = static_cast<std::int8_t>(i % 2 == 0 ? pair >> 8 : first % 3 == 0 ? pair >> 8 : static_cast<int>(random() % 256));
    }
    const I8 va = load(a), vb = load(b);
    expect_lanes("dot_pairs_saturated", first, dot_pairs_saturated(va, vb), [&](int i) {
      const auto product = [&](int k) { return static_cast<std::uint8_t>(a[k]) * b[k]; };
      return saturated_to<std::int16_t>(product(2 * i) + product(2 * i + 1));
    });
    expect_lanes("add_saturated", first, add_saturated(va, vb), [&](int i) { return saturated_to<std::int8_t>(a[i] + b[i]); });
    expect_lanes("maximum", first, maximum(va, vb), [&](int i) { return a[i] > b[i] ? a[i] : b[i]; });
    expect_lanes("minimum", first, minimum(va, vb), [&](int i) { return a[i] < b[i] ? a[i] : b[i]; });
    expect_lanes("select_less", first, select_less(va, vb, vb, va), [&](int i) { return a[i] < b[i] ? b[i] : a[i]; });
    expect_lanes("select_equal", first, select_equal(va, vb, broadcast(std::int8_t{1}), va),
                 [&](int i) { return a[i] == b[i] ? 1 : a[i]; });
  }
}

/// The table at the end of memory; every index in every lane.
inline void check_look_up() {
  auto* const table = reinterpret_cast<std::int8_t*>(simd_tests::guarded_end) - 256;
  Random random{362436069U};
  for (int i = 0; i < 256; ++i) table[i] = random_value<std::int8_t>(random);
  for (int first = 0; first < 256; ++first) {
    std::int8_t index[I8::kLanes];
    for (int i = 0; i < I8::kLanes; ++i) index[i] = static_cast<std::int8_t>(first + 37 * i);
    expect_lanes("look_up", first, look_up(load(index), table), [&](int i) { return table[static_cast<std::uint8_t>(index[i])]; });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
