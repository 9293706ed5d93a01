// From the sums of one pixel of a panel to its stored values.
#pragma once

#include "kernels/int8/quad_panel.hpp"
#include "kernels/int8_work.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Quarter J of each 16 bytes, and of the whole vector, as int32.
template <int J>
[[gnu::always_inline]] inline I32 lane_quarter(I8 v) {
  const I8 twice = J < 2 ? lane_unpack_lower(v, v) : lane_unpack_upper(v, v);
  const I16 half = shift_right<8>(reinterpret<std::int16_t>(twice));
  return shift_right<16>(reinterpret<std::int32_t>(J % 2 == 0 ? lane_unpack_lower(half, half) : lane_unpack_upper(half, half)));
}
template <int J>
[[gnu::always_inline]] inline I32 quarter(I8 v) {
  const I16 half = J < 2 ? widen_lower(v) : widen_upper(v);
  return J % 2 == 0 ? widen_lower(half) : widen_upper(half);
}

/// The sums of a pixel's NV vectors of channels, in real numbers; `n` channels exist.
template <int NV>
struct RealSums {
  F32 v[NV];

  [[gnu::always_inline]] inline void set(int j, I32 sum, const float* multiplier) {
    v[j] = mul(to_float(sum), load(multiplier + j * kLanes));
  }

  /// The residual's bytes are spread over the vectors as the channels of the sums are.
  template <Order O>
  [[gnu::always_inline]] inline void add_residual(const std::int8_t* r, int n, const Int8Residual& residual) {
    const I32 zero = broadcast(residual.zero);
    const F32 scale = broadcast(residual.scale);
    I8 bytes = bit_xor(load_up_to(r, n), broadcast(static_cast<std::int8_t>(residual.flip)));
    if constexpr (O == Order::packed && NV < 4) bytes = lane_split<4 * NV>(bytes);
    unroll<0, NV>([&](auto j) {
      const I32 x = O == Order::packed ? lane_quarter<j>(bytes) : quarter<j>(bytes);
      v[j] = add(v[j], mul(to_float(sub(x, zero)), scale));
    });
  }
};

/// Whether real values of int32 sums are sure to be within int32: then they are clamped when they are bytes, which is a fifth less work
/// than before.
inline bool within_int32(const Requantize& q, const Int8Residual& residual) {
  return q.most <= 0.25F && (residual.data == nullptr || residual.scale < 1e6F);
}

/// What clamps the values of a panel, as its vectors need it. Values that may exceed int32 are clamped to at most hi before they are
/// rounded; rounding a value that is too low for int32 gives the lowest there is.
struct PanelBounds {
  alignas(64) float most[4 * kLanes];
  alignas(64) std::int16_t zero[4 * kLanes];
  alignas(64) std::int8_t least[4 * kLanes];
  alignas(64) std::int8_t greatest[4 * kLanes];

  PanelBounds(const Requantize& q, int vectors, std::int64_t first_channel) {
    if (q.zeros == nullptr) {
      const F32 hi = broadcast(static_cast<float>(q.hi - q.zero));
      const I16 z = broadcast(static_cast<std::int16_t>(q.zero));
      for (int j = 0; j < 4; ++j) store(most + j * kLanes, hi);
      store(zero, z);
      store(zero + 2 * kLanes, z);
      store(least, broadcast(static_cast<std::int8_t>(q.lo)));
      store(greatest, broadcast(static_cast<std::int8_t>(q.hi)));
      return;
    }
    for (int j = 0; j < vectors; ++j) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const int channel = channel_of(Order::packed, vectors, j, lane);
        const std::int64_t c = first_channel + channel;
        const std::int32_t z = q.zeros[c];
        most[j * kLanes + lane] = static_cast<float>(q.his[c] - z);
        // Where lane_pack brings it: each 16 bytes hold four of vector j, then four of j + 1.
        for (int twice = 0; twice < (vectors == 1 ? 2 : 1); ++twice) {
          zero[j / 2 * 2 * kLanes + lane / 4 * 8 + (j % 2 + twice) * 4 + lane % 4] = static_cast<std::int16_t>(z);
        }
        least[channel] = static_cast<std::int8_t>(q.los[c]);
        greatest[channel] = static_cast<std::int8_t>(q.his[c]);
      }
    }
  }
};

/// How a panel's values are stored: constants of all its pixels.
template <class Out, int NV, Order O = kOrderOf<Out>>
struct PanelStore;

template <int NV>
struct PanelStore<std::int8_t, NV, Order::packed> {
  PanelBounds bounds;
  bool within;   ///< values are within int32
  bool alike;    ///< all channels have one range
  bool bounded;  ///< bounds are closer than a byte's
  std::uint8_t flip;
  std::int32_t flips;

  PanelStore(const Requantize& q, std::uint8_t y_flip, std::int64_t first_channel, bool values_within)
      : bounds(q, NV, first_channel),
        within(values_within),
        alike(q.zeros == nullptr),
        bounded(q.zeros != nullptr || q.lo > -128 || q.hi < 127),
        flip(y_flip),
        flips(static_cast<std::int32_t>(y_flip * 0x01010101U)) {}

  /// Lean: values are within int32.
  template <bool Lean = false>
  [[gnu::always_inline]] inline void store(std::int8_t* y, int n, const RealSums<NV>& real) const {
    store_up_to(y, stored<Lean>(real), n);
  }

  /// Pixels of few channels, as many as fill four vectors. Their channels are alike.
  template <bool Lean = false>
  [[gnu::always_inline]] inline void store_together(std::int8_t* y, std::int64_t y_row, int n, const RealSums<4>& real) const {
    const I8 bytes = lane_join<4 * NV>(stored<Lean>(real));
    if (n == NV * kLanes && y_row == n) return DWSEP_ISA_NAMESPACE::store(y, bytes);
    store_pieces<4 / NV>(y, y_row, bytes, n, 4 / NV);
  }

  /// Values within int32 of vectors j and j + 1, rounded; then both halves of a panel as bytes.
  [[gnu::always_inline]] inline I16 lean_half(F32 a, F32 b, std::int64_t j) const {
    return add_saturated(lane_pack(to_int32(a), to_int32(b)), load(bounds.zero + j * kLanes));
  }
  [[gnu::always_inline]] inline I8 lean(I16 first, I16 second) const {
    I8 bytes = lane_pack(first, second);
    if (bounded) bytes = maximum(minimum(bytes, load(bounds.greatest)), load(bounds.least));
    return bit_xor(bytes, reinterpret<std::int8_t>(broadcast(flips)));  // of four bytes: a byte would take a shuffle
  }

  template <bool Lean = false, int V>
  [[gnu::always_inline]] inline I8 stored(const RealSums<V>& real) const {
    I8 bytes;
    if (Lean || within) {
      bytes = packed<V>([&](auto j) { return to_int32(real.v[j]); });
      if (!bounded) return bit_xor(bytes, broadcast(static_cast<std::int8_t>(flip)));
      bytes = minimum(bytes, load(bounds.greatest));
    } else {
      bytes = packed<V>([&](auto j) { return to_int32(min_or_second(real.v[j], load(bounds.most + j * kLanes))); });
    }
    return bit_xor(maximum(bytes, load(bounds.least)), broadcast(static_cast<std::int8_t>(flip)));
  }

 private:
  template <int V, class Rounded>
  [[gnu::always_inline]] inline I8 packed(const Rounded& rounded) const {
    const auto pair = [&](auto j) {
      const I32 a = rounded(j);
      return add_saturated(lane_pack(a, V == 1 ? a : rounded(Index < V == 1 ? j : j + 1 > {})), load(bounds.zero + j * kLanes));
    };
    const I16 first = pair(Index<0>{});
    if constexpr (V == 4) return lane_pack(first, pair(Index<2>{}));
    return lane_join<4 * V>(lane_pack(first, first));
  }
};

template <int NV, Order O>
struct PanelStore<float, NV, O> {
  float lo, hi;

  PanelStore(const Requantize& q, std::uint8_t, std::int64_t, bool) : lo(q.real_lo), hi(q.real_hi) {}

  [[gnu::always_inline]] inline void store(float* y, int n, const RealSums<NV>& real) const { store_pixels(y, 0, n, 1, 1, real); }

  /// The first `count` of `pixels` (1, 2 or 4) that share the vectors, n channels each.
  [[gnu::always_inline]] inline void store_pixels(float* y, std::int64_t step, int n, int pixels, int count,
                                                  const RealSums<NV>& real) const {
    F32 v[NV];
    unroll<0, NV>([&](auto j) { v[j] = min_or_second(broadcast(hi), max_or_second(broadcast(lo), real.v[j])); });
    if constexpr (O == Order::packed) lane_transpose(v);
    const int halvings = pixels >> 1;
    unroll<0, NV>([&](auto j) {
      const int pixel = pixels == 1 ? 0 : j >> (2 - halvings), first = (j - (pixel * NV >> halvings)) * kLanes, left = n - first;
      if (left > 0 && pixel < count) store_up_to(y + pixel * step + first, v[j], left < kLanes ? left : kLanes);
    });
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
