// Packs the weights of the int8 matrix product.
#pragma once

#include "kernels/int8/quad_gemm_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// [panel][half of a panel, where its vectors do not fit the registers][four k][vector][lane][k]
template <class Out>
inline void pack_quad_gemm(Int8PackWork& w) {
  const QuadPanels panels(w.columns);
  const std::int64_t quads = packed_quads(w.k), vectors_of_all = panels.all_vectors();
  constexpr std::int64_t kBytes = I8::kLanes;
  w.panels = panels.count();
  w.panel_columns = 4 * kLanes;
  w.sums = vectors_of_all * kLanes * (kMatrixTiles || kSorts ? 2 : 1);
  w.bytes = vectors_of_all * quads * kBytes + (kSorts ? (vectors_of_all + 1) / 2 * quads : 0);
  w.k_padded = 4 * quads;
  if (w.packed == nullptr) return;
  auto* const out = static_cast<std::int8_t*>(w.packed);
  std::int8_t* const kinds = out + vectors_of_all * quads * kBytes;
  for (std::int64_t i = 0; kSorts && i < (vectors_of_all + 1) / 2 * quads; ++i) kinds[i] = 0;
  panels.for_each_part(0, panels.count(), [&](int vectors, std::int64_t before) {
    const int group = group_of(vectors);
    for (int j = 0; j < vectors; ++j) {
      std::int8_t* to = out + (before + j / group * group) * quads * kBytes + j % group * kBytes;
      // Along rows of weights: column by column a panel's lines were read again for each of its columns.
      std::int64_t columns[kLanes];
      std::uint32_t sums[kLanes] = {}, corrections[kLanes] = {};
      for (int lane = 0; lane < kLanes; ++lane) columns[lane] = before * kLanes + channel_of(kOrderOf<Out>, vectors, j, lane);
      for (std::int64_t q = 0; q < quads; ++q) {
        const std::int8_t* const rows = w.weights + 4 * q * w.weights_row;
        const std::int64_t present = w.k - 4 * q;
        for (int lane = 0; lane < kLanes; ++lane) {
          const std::int64_t there = columns[lane] < w.columns ? present : 0;
          for (int i = 0; i < 4; ++i) {
            const std::int8_t weight = i < there ? rows[i * w.weights_row + columns[lane]] : std::int8_t{0};
            to[q * group * kBytes + lane * 4 + i] = weight;
            corrections[lane] += static_cast<std::uint32_t>(Dot::correction(weight));
            sums[lane] += static_cast<std::uint32_t>(weight);
          }
        }
      }
      for (int lane = 0; lane < kLanes; ++lane) {
        const std::int64_t c = columns[lane], at = (before + j) * kLanes + lane;
        const bool exists = c < w.columns;
        const std::uint32_t initial =
            exists ? static_cast<std::uint32_t>(w.bias[c]) - static_cast<std::uint32_t>(*w.x_zeros) * sums[lane] : 0;
        w.initial[at] = static_cast<std::int32_t>(initial + corrections[lane]);
        w.multiplier[at] = exists ? w.multipliers[c] : 0.0F;
        if (!kMatrixTiles && !kSorts) continue;
        // Signed x needs no correction on tiles. What products need that are sorted comes below.
        w.initial[vectors_of_all * kLanes + at] = static_cast<std::int32_t>(initial + (kSorts ? corrections[lane] : 0));
        w.multiplier[vectors_of_all * kLanes + at] = w.multiplier[at];
      }
      if (!kSorts || group != 2 || !w.x_unsigned) continue;
      std::int32_t* const initial = w.initial + (vectors_of_all + before + j) * kLanes;
      for (std::int64_t q = 0; q < quads; ++q) {
        const std::int8_t* const weights = to + q * group * kBytes;
        if (!needs_no_help(weights)) continue;
        kinds[(before + j) / 2 * quads + q] |= static_cast<std::int8_t>(1 << j % 2);
        for (int i = 0; i < 4 * kLanes; ++i) {
          initial[i / 4] = static_cast<std::int32_t>(static_cast<std::uint32_t>(initial[i / 4]) +
                                                     static_cast<std::uint32_t>(as_is_correction(weights[i])));
        }
      }
    }
  });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
