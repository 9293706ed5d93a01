// Activations of real values behind exact sums, and their rounding to int8. Their bits are the same on every instruction set, plain x86-64
// included: the units of this file define DWSEP_UNFUSED, so that no multiply-add is fused, and lie in a namespace of their own.
#pragma once

#include "kernels/activation/functions.hpp"
#include "kernels/entry.hpp"
#include "kernels/int8/plain_requantize.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class F>
inline void finish_to_float(const Int8FinishWork& w, const F& f) {
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const float* v = w.v + row * w.v_row;
    float* y = static_cast<float*>(w.y) + row * w.y_row;
    for (std::int64_t c = 0; c < w.columns; c += kLanes) {
      const int n = static_cast<int>(w.columns - c < kLanes ? w.columns - c : kLanes);
      store_up_to(y + c, f(load_up_to(v + c, n)), n);
    }
  }
}

template <class F>
inline void finish_to_int8(const Int8FinishWork& w, const F& f) {
  // Whatever the zero point, bytes beyond these saturate.
  const F32 lo = broadcast(-1024.0F), hi = broadcast(1024.0F);
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const float* v = w.v + row * w.v_row;
    std::int8_t* y = static_cast<std::int8_t*>(w.y) + row * w.y_row;
    for (std::int64_t c = 0; c < w.columns; c += kByteLanes) {
      const int n = static_cast<int>(w.columns - c < kByteLanes ? w.columns - c : kByteLanes);
      Quad<std::int32_t> s;
      unroll<0, 4>([&](auto j) {
        const int left = n - j * kLanes < kLanes ? n - j * kLanes : kLanes;
        const F32 x = left > 0 ? load_up_to(v + c + j * kLanes, left) : broadcast(0.0F);
        const std::int64_t at = c + j * kLanes;
        s.at[j] = add(to_int32(clip(div(f(x), load(w.scales + at)), lo, hi)), load(w.zeros + at));
      });
      store_up_to(y + c, flipped(narrow(s.at[0], s.at[1], s.at[2], s.at[3]), w.y_flip), n);
    }
  }
}

inline void finish_float(const Int8FinishWork& w) {
  with_activation(w.activation, [&](const auto& f) { finish_to_float(w, f); });
}
inline void finish_int8(const Int8FinishWork& w) {
  with_activation(w.activation, [&](const auto& f) { finish_to_int8(w, f); });
}

constexpr KernelEntry kInt8Finish[] = {
    entry<finish_float>("int8_finish_float", Family::int8_finish, {}, kFloat32),
    entry<finish_int8>("int8_finish", Family::int8_finish, {}, kFloatToInt8),
};
extern constexpr KernelList unit_int8_finish = list_of(kInt8Finish);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
