// Loads and stores, whole and partial, at every alignment and at the end of memory.
#pragma once

#include "simd/vec.hpp"
#include "tests/simd/inputs.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Memory between two margins that nothing may write to.
template <class T>
struct Margins {
  static constexpr int kLanesOf = Vec<T>::kLanes, kMargin = 64;
  T all[kLanesOf + 2 * kMargin];

  Margins() { std::memset(all, 0x5A, sizeof all); }
  T* inside() { return all + kMargin; }
  /// Elements [begin, end) are those of x and all others as they were.
  void expect_only(const char* operation, const T* x, int begin, int end) {
    const Margins untouched;
    for (int i = 0; i < kLanesOf + 2 * kMargin; ++i) {
      const int at = i - kMargin;
      const bool written = at >= begin && at < end;
      expect<T>(same_bits<T>(all[i], written ? x[at] : untouched.all[i]), operation, at);
    }
  }
};

template <class T>
void check_memory(const Inputs<T>& in) {
  constexpr int kAll = Vec<T>::kLanes;
  const T* const x = in.a + 7;
  for (int at = 0; at < 2 * kAll; ++at) {
    expect_moved("load", at, load(x + at), [&](int i) { return x[at + i]; });
    Margins<T> to;
    store(to.inside(), load(x + at));
    to.expect_only("store", x + at, 0, kAll);
    Margins<T> shifted;
    store(shifted.inside() + at % 16, load(x));
    shifted.expect_only("store", x - at % 16, at % 16, at % 16 + kAll);
  }
  for (int n = 0; n <= kAll; ++n) {
    T* const end = reinterpret_cast<T*>(simd_tests::guarded_end) - n;
    for (int i = 0; i < n; ++i) end[i] = x[i];
    const auto first = [&](int i) { return i < n ? x[i] : T{}; };
    expect_moved("load_first", n, load_first(end, n), first);
    Margins<T> to;
    store_first(to.inside(), load(x), n);
    to.expect_only("store_first", x, 0, n);
    store_first(end, load(x + 1), n);
    for (int i = 0; i < n; ++i) expect<T>(same_bits<T>(end[i], x[i + 1]), "store_first at the end", i);
    if (n == 0) continue;
    for (int i = 0; i < n; ++i) end[i] = x[i];
    expect_moved("load_up_to", n, load_up_to(end, n), first);
    Margins<T> other;
    store_up_to(other.inside(), load(x), n);
    other.expect_only("store_up_to", x, 0, n);
    store_up_to(end, load(x + 1), n);
    for (int i = 0; i < n; ++i) expect<T>(same_bits<T>(end[i], x[i + 1]), "store_up_to at the end", i);
  }
  for (int i = 0; i < kCount; ++i) expect_moved("broadcast", i, broadcast(in.a[i]), [&](int) { return in.a[i]; });
}

template <class To, class From>
void check_load_as(const Inputs<From>& in) {
  constexpr int kAll = Vec<To>::kLanes;
  for (int at = 0; at + kAll <= kCount; ++at) {
    expect_moved("load_as", at, load_as<To>(in.a + at), [&](int i) { return static_cast<To>(in.a[at + i]); });
  }
  const From* const end = reinterpret_cast<From*>(simd_tests::guarded_end) - kAll;
  std::memcpy(simd_tests::guarded_end - kAll * sizeof(From), in.a, kAll * sizeof(From));
  expect_moved("load_as at the end", 0, load_as<To>(end), [&](int i) { return static_cast<To>(in.a[i]); });
}

/// What only floats have.
inline void check_float_memory(const Inputs<float>& in) {
  const float* const x = in.a + 7;
  alignas(64) float line[kLanes];
  store_nontemporal(line, load(x));
  fence_nontemporal();
  for (int i = 0; i < kLanes; ++i) expect<float>(same_bits(line[i], x[i]), "store_nontemporal", i);
  for (int first = 0; first < (kMasks ? kLanes : 1); ++first) {
    for (int last = first + 1; last <= kLanes; ++last) {
      const Lanes lanes{first, last};
      expect_moved("load_lanes", first, load_lanes(x, lanes), [&](int i) { return i >= first && i < last ? x[i] : 0.0F; });
      Margins<float> to;
      store_lanes(to.inside(), load(x), lanes);
      to.expect_only("store_lanes", x, first, last);
    }
  }
  // Where no kernel is for 8 lanes or more, vectors begin where weights are packed for.
  for (int first = 0; first < (kLanes >= 8 ? kLanes : 1); ++first) {
    const float* const y = in.b + 7;
    expect_moved("load_across", first, load_across(x, y, first),
                 [&](int i) { return first + i < kLanes ? x[first + i] : y[first + i - kLanes]; });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
