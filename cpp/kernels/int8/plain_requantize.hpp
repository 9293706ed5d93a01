// From a block of exact sums to a pixel's stored values, on any instruction set.
#pragma once

#include "kernels/int8_work.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Channels that are requantised together: a vector of bytes, four of sums.
constexpr int kByteLanes = I8::kLanes;

/// Four vectors of sums, or of what becomes of them.
template <class T>
struct Quad {
  Vec<T> at[4];
};

[[gnu::always_inline]] inline Quad<std::int32_t> widened(I8 v) {
  const I16 lower = widen_lower(v), upper = widen_upper(v);
  return {{widen_lower(lower), widen_upper(lower), widen_lower(upper), widen_upper(upper)}};
}

template <class T>
[[gnu::always_inline]] inline Quad<T> load_quad(const T* p) {
  return {{load(p), load(p + kLanes), load(p + 2 * kLanes), load(p + 3 * kLanes)}};
}

[[gnu::always_inline]] inline I8 flipped(I8 v, std::uint8_t flip) { return bit_xor(v, broadcast(static_cast<std::int8_t>(flip))); }

/// clamp(round_half_even(v) + zero, lo, hi)
[[gnu::always_inline]] inline I32 rounded(F32 v, I32 zero, I32 lo, I32 hi) {
  const F32 least = to_float(sub(lo, zero)), most = to_float(sub(hi, zero));
  return add(to_int32(clip(v, least, most)), zero);
}

/// Channels [channel, channel + n) of one pixel, n <= kByteLanes. `sums` and the packed arrays have whole quads; y and residual are the
/// pixel's channel 0.
template <class Out>
[[gnu::always_inline]] inline void requantize(const std::int32_t* sums, std::int64_t channel, int n, const Requantize& q,
                                              const Int8Residual& residual, const std::int8_t* r, Out* y, std::uint8_t y_flip) {
  Quad<float> v;
  unroll<0, 4>([&](auto j) { v.at[j] = mul(to_float(load(sums + j * kLanes)), load(q.multiplier + channel + j * kLanes)); });
  if (r != nullptr) {
    const Quad<std::int32_t> added = widened(flipped(load_up_to(r + channel, n), residual.flip));
    const I32 zero = broadcast(residual.zero);
    const F32 scale = broadcast(residual.scale);
    unroll<0, 4>([&](auto j) { v.at[j] = add(v.at[j], mul(to_float(sub(added.at[j], zero)), scale)); });
  }
  if constexpr (sizeof(Out) == 1) {
    Quad<std::int32_t> s;
    if (q.zeros == nullptr) {
      unroll<0, 4>([&](auto j) { s.at[j] = rounded(v.at[j], broadcast(q.zero), broadcast(q.lo), broadcast(q.hi)); });
    } else {
      unroll<0, 4>([&](auto j) {
        const std::int64_t c = channel + j * kLanes;
        s.at[j] = rounded(v.at[j], load(q.zeros + c), load(q.los + c), load(q.his + c));
      });
    }
    store_up_to(y + channel, flipped(narrow(s.at[0], s.at[1], s.at[2], s.at[3]), y_flip), n);
  } else {
    const F32 lo = broadcast(q.real_lo), hi = broadcast(q.real_hi);
    unroll<0, 4>([&](auto j) {
      if (n > j * kLanes) store_up_to(y + channel + j * kLanes, clip(v.at[j], lo, hi), n - j * kLanes);
    });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
