// The order of channels in the vectors of sums of a panel.
//
// A panel has NV vectors of sums, 4, 2 or 1. Packing int32 to int16 and these to int8 works on each 16 bytes of a vector, so the vectors
// share their channels out four by four: packed bytes are then in order, and no instruction has to bring them there. Sums that are stored
// as floats are in order at once.
#pragma once

#include "simd/quads.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

enum class Order { packed, plain };

template <class Out>
constexpr Order kOrderOf = sizeof(Out) == 1 ? Order::packed : Order::plain;

/// The channel, counted from the panel's first, of a lane of vector v of `vectors`.
constexpr int channel_of(Order order, int vectors, int v, int lane) {
  return order == Order::plain ? v * kLanes + lane : (lane / 4 * vectors + v) * 4 + lane % 4;
}

/// Columns in panels of four vectors. The last may have fewer: then it is a part of two vectors, of one, or both.
struct QuadPanels {
  std::int64_t full;  ///< panels of four vectors
  int rest;           ///< vectors behind them, less than four

  explicit constexpr QuadPanels(std::int64_t columns) : full(columns / (4 * kLanes)), rest(0) {
    rest = static_cast<int>((columns - full * 4 * kLanes + kLanes - 1) / kLanes);
    if (rest == 4) {
      ++full;
      rest = 0;
    }
  }
  constexpr std::int64_t count() const { return full + (rest > 0 ? 1 : 0); }
  constexpr std::int64_t all_vectors() const { return 4 * full + rest; }

  /// f(Index<vectors>, vectors before) for the parts of panels [begin, end).
  template <class F>
  [[gnu::always_inline]] inline void for_each_part(std::int64_t begin, std::int64_t end, const F& f) const {
    for (std::int64_t p = begin; p < end && p < full; ++p) f(Index<4>{}, 4 * p);
    if (end <= full || begin > full) return;
    if ((rest & 2) != 0) f(Index<2>{}, 4 * full);
    if ((rest & 1) != 0) f(Index<1>{}, 4 * full + (rest & 2));
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
