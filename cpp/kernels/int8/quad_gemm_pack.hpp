// Packs the weights of the int8 matrix product.
#pragma once

#include "kernels/int8/quad_gemm_sort.hpp"
#include "kernels/int8/quad_gemm_tile.hpp"
#include "kernels/int8/quad_pack.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// The weights of a panel, four rows at a time, to out; `n` columns exist. Byte by byte a wide layer's weights took 1.5 ns each.
/// `group`: vectors that are read together.
template <Order O, int NV>
[[gnu::flatten, gnu::noinline]] void pack_panel(const Int8PackWork& w, std::int64_t column, int n, std::int64_t quads, int group,
                                                std::int8_t* out, ColumnSums* columns) {
  constexpr std::int64_t kBytes = I8::kLanes;
  ColumnSums sums;
  const std::int8_t* from = w.weights + column;
  for (std::int64_t q = 0; q < quads; ++q) {
    I8 row[4], v[4];
    unroll<0, 4>([&](auto i) {
      row[i] = 4 * q + i < w.k ? load_up_to(from, n) : broadcast(std::int8_t{0});
      from += w.weights_row;
      sums.add_row(row[i]);
      // As many channels to each 16 bytes as a panel's vectors have four by four.
      if constexpr (O == Order::packed && NV < 4) row[i] = lane_split<4 * NV>(row[i]);
    });
    interleave_rows(row, v);
    if constexpr (O == Order::plain) {
      F32 plain[4];
      unroll<0, 4>([&](auto j) { plain[j] = reinterpret<float>(reinterpret<std::int32_t>(v[j])); });
      lane_transpose(plain);
      unroll<0, 4>([&](auto j) { v[j] = reinterpret<std::int8_t>(reinterpret<std::int32_t>(plain[j])); });
    }
    unroll<0, NV>([&](auto j) { store(out + ((j / group * quads + q) * group + j % group) * kBytes, v[j]); });
  }
  sums.flush();
  *columns = sums;
}

/// [panel][half of a panel, where its vectors do not fit the registers][four k][vector][lane][k]
template <class Out>
inline void pack_quad_gemm(Int8PackWork& w) {
  const QuadPanels panels(w.columns);
  const std::int64_t quads = packed_quads(w.k), vectors_of_all = panels.all_vectors();
  constexpr std::int64_t kBytes = I8::kLanes;
  const bool sorts = is_sorted(w.k);
  w.panels = panels.count();
  w.panel_columns = 4 * kLanes;
  w.sums = vectors_of_all * kLanes * (kMatrixTiles ? 2 : 1);
  w.bytes = vectors_of_all * quads * kBytes + (sorts ? vectors_of_all * sorted_order(quads) * 2 : 0);
  w.k_padded = 4 * quads;
  if (w.packed == nullptr) return;
  auto* const out = static_cast<std::int8_t*>(w.packed);
  [[maybe_unused]] auto* const orders = reinterpret_cast<std::uint16_t*>(out + vectors_of_all * quads * kBytes);
  panels.for_each_part(0, panels.count(), [&](auto vectors, std::int64_t before) {
    const std::int64_t column = before * kLanes, left = w.columns - column;
    ColumnSums sums;
    pack_panel<kOrderOf<Out>, vectors>(w, column, static_cast<int>(left < vectors * kLanes ? left : vectors * kLanes), quads,
                                       sorts ? 1 : group_of(vectors), out + before * quads * kBytes, &sums);
    for (int j = 0; j < vectors; ++j) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const int channel = channel_of(kOrderOf<Out>, vectors, j, lane);
        const std::int64_t c = column + channel, at = (before + j) * kLanes + lane;
        const bool exists = c < w.columns;
        const std::uint32_t initial =
            exists ? static_cast<std::uint32_t>(w.bias[c]) - static_cast<std::uint32_t>(*w.x_zeros) * sums.sum(channel) : 0;
        const std::uint32_t correction = sums.correction(channel);
        w.initial[at] = static_cast<std::int32_t>(initial + correction);
        w.multiplier[at] = exists ? w.multipliers[c] : 0.0F;
        if (!kMatrixTiles) continue;
        // Signed x needs no correction on tiles.
        w.initial[vectors_of_all * kLanes + at] = static_cast<std::int32_t>(initial);
        w.multiplier[vectors_of_all * kLanes + at] = w.multiplier[at];
      }
      if constexpr (kSorts) {
        const std::int64_t vector = before + j;
        if (sorts)
          sort_vector<Dot>(out + vector * quads * kBytes, quads, orders + vector * sorted_order(quads), w.initial + vector * kLanes);
      }
    }
  });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
