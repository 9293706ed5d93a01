// An array, or one number in place of each of its elements, for loops that know steps of one alone.
#pragma once

#include <algorithm>
#include <cstdint>

namespace dwsep::runtime {

constexpr std::int64_t kRepeats = 256;

template <class T>
class Repeated {
 public:
  /// For n elements.
  Repeated(const T* x, std::int64_t step, std::int64_t n) : x_(x), alone_(step == 0) {
    if (alone_) std::fill_n(block_, std::min(n, kRepeats), *x);
  }
  /// kRepeats elements from the i-th on, or all that follow.
  const T* from(std::int64_t i) const { return alone_ ? block_ : x_ + i; }
  bool alone() const { return alone_; }

 private:
  const T* x_;
  bool alone_;
  T block_[kRepeats];
};

/// f(a, b, first, count) for all n elements of two such arrays, in pieces.
template <class T, class F>
[[gnu::always_inline]] inline void for_pieces(const Repeated<T>& a, const Repeated<T>& b, std::int64_t n, const F& f) {
  const std::int64_t most = a.alone() || b.alone() ? kRepeats : n;
  for (std::int64_t i = 0; i < n; i += most) f(a.from(i), b.from(i), i, std::min(most, n - i));
}

}  // namespace dwsep::runtime
