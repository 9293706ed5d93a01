// Packs the weights of the int8 matrix product.
#pragma once

#include "kernels/int8/quad_gemm_sort.hpp"
#include "kernels/int8/quad_gemm_tile.hpp"
#include "kernels/int8/quad_pack.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// How a row of weights becomes vectors: packed, each 16 bytes have as many channels as a panel's vectors have four by four.
struct PanelRow {
  int n, piece;  ///< columns that exist, and those that stay together

  PanelRow(Order order, int vectors, std::int64_t left)
      : n(static_cast<int>(left < vectors * kLanes ? left : vectors * kLanes)),
        piece(order == Order::plain || vectors == 4 ? I8::kLanes : 4 * vectors) {}
  int place(int column) const { return column / piece * 16 + column % piece; }
};

/// The weights of a panel, four rows at a time, to out. Byte by byte a wide layer's weights took 1.5 ns each. `group`: vectors that are
/// read together.
[[gnu::noinline]] inline void pack_panel(const Int8PackWork& w, Order order, const PanelRow& shape, std::int64_t column, int vectors,
                                         int group, std::int64_t quads, std::int8_t* out, ColumnSums* sums) {
  constexpr std::int64_t kBytes = I8::kLanes;
  const std::int8_t* from = w.weights + column;
  std::int8_t part[kBytes] = {};
  for (std::int64_t q = 0; q < quads; ++q) {
    I8 row[4], v[4];
#pragma GCC unroll 1
    for (int i = 0; i < 4; ++i, from += w.weights_row) {
      row[i] = broadcast(std::int8_t{0});
      if (4 * q + i >= w.k) continue;
      if (shape.n == kBytes) {
        row[i] = load(from);
      } else {
        for (int c = 0; c < shape.n; c += shape.piece) {
          const int left = shape.n - c;
          __builtin_memcpy(part + shape.place(c), from + c, static_cast<std::size_t>(left < shape.piece ? left : shape.piece));
        }
        row[i] = load(part);
      }
      sums->add_row(row[i]);
    }
    interleave_rows(row, v);
    if (order == Order::plain) {
      F32 plain[4];
      unroll<0, 4>([&](auto j) { plain[j] = reinterpret<float>(reinterpret<std::int32_t>(v[j])); });
      lane_transpose(plain);
      unroll<0, 4>([&](auto j) { v[j] = reinterpret<std::int8_t>(reinterpret<std::int32_t>(plain[j])); });
    }
    for (int j = 0; j < vectors; ++j) store(out + ((j / group * quads + q) * group + j % group) * kBytes, v[j]);
  }
  sums->flush();
}

/// [panel][half of a panel, where its vectors do not fit the registers][four k][vector][lane][k]
[[gnu::noinline]] inline void pack_quads(Int8PackWork& w, Order order) {
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
  panels.for_each_part(
      0, panels.count(), [&](int vectors, std::int64_t before) __attribute__((noinline)) {
        const std::int64_t column = before * kLanes;
        const PanelRow row(order, vectors, w.columns - column);
        ColumnSums sums;
        pack_panel(w, order, row, column, vectors, sorts ? 1 : group_of(vectors), quads, out + before * quads * kBytes, &sums);
        for (int j = 0; j < vectors; ++j) {
          for (int lane = 0; lane < kLanes; ++lane) {
            const int channel = channel_of(order, vectors, j, lane), place = row.place(channel);
            const std::int64_t c = column + channel, at = (before + j) * kLanes + lane;
            const bool exists = c < w.columns;
            const std::uint32_t initial =
                exists ? static_cast<std::uint32_t>(w.bias[c]) - static_cast<std::uint32_t>(*w.x_zeros) * sums.sum(place) : 0;
            const std::uint32_t correction = sums.correction(place);
            w.initial[at] = static_cast<std::int32_t>(initial + correction);
            w.multiplier[at] = exists ? w.multipliers[c] : 0.0F;
            if (!kMatrixTiles) continue;
            // Signed x needs no correction on tiles.
            w.initial[vectors_of_all * kLanes + at] = static_cast<std::int32_t>(initial);
            w.multiplier[vectors_of_all * kLanes + at] = w.multiplier[at];
          }
        }
        if constexpr (kSorts) {
          if (sorts) {
            sort_panel<Dot>(out + before * quads * kBytes, vectors, quads, orders + before * sorted_order(quads),
                            w.initial + before * kLanes);
          }
        }
      });
}
template <class Out>
inline void pack_quad_gemm(Int8PackWork& w) {
  pack_quads(w, kOrderOf<Out>);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
