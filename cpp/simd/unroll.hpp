// Loops unrolled at compile time.
#pragma once

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// An index known at compile time.
template <int I>
struct Index {
  static constexpr int value = I;
  constexpr operator int() const { return I; }
};

/// f(Index<Begin>), ..., f(Index<End - 1>): unrolled at compile time, so that arrays of vectors indexed by it stay in registers.
template <int Begin, int End, class F>
[[gnu::always_inline]] inline void unroll(const F& f) {
  if constexpr (Begin < End) {
    f(Index<Begin>{});
    unroll<Begin + 1, End>(f);
  }
}

/// f(), log2(N) times.
template <int N, class F>
[[gnu::always_inline]] inline void for_each_bit(const F& f) {
  if constexpr (N > 1) {
    f();
    for_each_bit<N / 2>(f);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
