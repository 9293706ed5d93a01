// Partial vectors at the end of a row's channels. With mask registers a load needs no branch.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class T>
[[gnu::always_inline]] inline Vec<T> load_up_to(const T* p, int n) {
  return kMasks || n < Vec<T>::kLanes ? load_first(p, n) : load(p);
}
template <class T>
[[gnu::always_inline]] inline void store_up_to(T* p, Vec<T> v, int n) {
  n < Vec<T>::kLanes ? store_first(p, v, n) : store(p, v);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
