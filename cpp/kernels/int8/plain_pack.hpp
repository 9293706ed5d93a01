// Weights as the plain kernels read them: int16 less their zero points, in pairs whose products are added at once.
#pragma once

#include "kernels/int8/plain_requantize.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Weights as [panel][pair of k][column][2], and sums that begin with the bias less what the zero point of x adds: x_zero(column). Sums of
/// `more_panels` follow, zeros as those of columns that do not exist.
template <class XZero>
inline void pack_pairs(Int8PackWork& w, std::int64_t panel_columns, std::int64_t more_panels, const XZero& x_zero) {
  const std::int64_t pairs = (w.k + 1) / 2;
  w.panels = (w.columns + panel_columns - 1) / panel_columns;
  w.panel_columns = panel_columns;
  w.bytes = w.panels * pairs * panel_columns * 4;
  w.sums = (w.panels + more_panels) * panel_columns;
  if (w.packed == nullptr) return;
  const auto weight = [&](std::int64_t i, std::int64_t c) {
    return w.weights[i * w.weights_row + c] - (w.weight_zeros != nullptr ? w.weight_zeros[c] : 0);
  };
  auto* out = static_cast<std::int16_t*>(w.packed);
  for (std::int64_t panel = 0; panel < w.panels; ++panel) {
    for (std::int64_t k = 0; k < 2 * pairs; k += 2) {
      for (std::int64_t c = panel * panel_columns; c < (panel + 1) * panel_columns; ++c) {
        for (std::int64_t i = k; i < k + 2; ++i, ++out) *out = static_cast<std::int16_t>(c < w.columns && i < w.k ? weight(i, c) : 0);
      }
    }
  }
  for (std::int64_t c = 0; c < w.sums; ++c) {
    const bool exists = c < w.columns;
    std::uint32_t sum = 0;
    for (std::int64_t k = 0; exists && k < w.k; ++k) sum += static_cast<std::uint32_t>(weight(k, c));
    w.multiplier[c] = exists ? w.multipliers[c] : 0.0F;
    w.initial[c] =
        exists ? static_cast<std::int32_t>(static_cast<std::uint32_t>(w.bias[c]) - static_cast<std::uint32_t>(x_zero(c)) * sum) : 0;
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
