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

/// Columns in panels: as many as possible four vectors wide, the rest two vectors and one.
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
  constexpr std::int64_t count() const { return full + rest / 2 + rest % 2; }
  /// Vectors of panel p, and of all panels before it.
  constexpr int vectors(std::int64_t p) const { return p < full ? 4 : (p == full && rest >= 2 ? 2 : 1); }
  constexpr std::int64_t vectors_before(std::int64_t p) const { return p <= full ? 4 * p : 4 * full + 2; }
  constexpr std::int64_t all_vectors() const { return 4 * full + rest; }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
