// Packs the weights of the int8 matrix product.
#pragma once

#include "kernels/int8/quad_gemm_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Sums over rows of bytes, of each column of a panel.
class ColumnSums {
 public:
  [[gnu::always_inline]] inline void add(I8 row) {
    lower_ = DWSEP_ISA_NAMESPACE::add(lower_, widen_lower(row));
    upper_ = DWSEP_ISA_NAMESPACE::add(upper_, widen_upper(row));
  }
  /// At least every 255 rows: int16 hold no more.
  [[gnu::always_inline]] inline void flush() {
    const auto to = [&](int j, I32 v) { store(total + j * kLanes, DWSEP_ISA_NAMESPACE::add(load(total + j * kLanes), v)); };
    to(0, widen_lower(lower_));
    to(1, widen_upper(lower_));
    to(2, widen_lower(upper_));
    to(3, widen_upper(upper_));
    lower_ = upper_ = broadcast(std::int16_t{0});
  }
  alignas(64) std::int32_t total[4 * kLanes] = {};

 private:
  I16 lower_ = broadcast(std::int16_t{0}), upper_ = lower_;
};

/// The weights of a panel, four rows at a time, to out; `n` columns exist. Byte by byte a wide layer's weights took 1.5 ns each.
template <Order O, int NV>
[[gnu::flatten, gnu::noinline]] void pack_panel(const Int8PackWork& w, std::int64_t column, int n, std::int64_t quads, std::int8_t* out,
                                                ColumnSums* sums, ColumnSums* negative) {
  constexpr int G = group_of(NV);
  constexpr std::int64_t kBytes = I8::kLanes;
  const I8 zero = broadcast(std::int8_t{0});
  const std::int8_t* from = w.weights + column;
  for (std::int64_t q = 0; q < quads; ++q) {
    I8 row[4];
    unroll<0, 4>([&](auto i) {
      row[i] = 4 * q + i < w.k ? load_up_to(from, n) : zero;
      from += w.weights_row;
      sums->add(row[i]);
      if constexpr (Dot::kWeightVectors == 2) negative->add(minimum(row[i], zero));
      // As many channels to each 16 bytes as a panel's vectors have four by four.
      if constexpr (O == Order::packed && NV < 4) row[i] = lane_split<4 * NV>(row[i]);
    });
    if (q % 63 == 62 || q == quads - 1) {
      sums->flush();
      if constexpr (Dot::kWeightVectors == 2) negative->flush();
    }
    const auto pairs = [](I8 a) { return reinterpret<std::int16_t>(a); };
    const I16 lower = pairs(lane_unpack_lower(row[0], row[1])), lower2 = pairs(lane_unpack_lower(row[2], row[3]));
    const I16 upper = pairs(lane_unpack_upper(row[0], row[1])), upper2 = pairs(lane_unpack_upper(row[2], row[3]));
    F32 v[4] = {reinterpret<float>(lane_unpack_lower(lower, lower2)), reinterpret<float>(lane_unpack_upper(lower, lower2)),
                reinterpret<float>(lane_unpack_lower(upper, upper2)), reinterpret<float>(lane_unpack_upper(upper, upper2))};
    if constexpr (O == Order::plain) lane_transpose(v);
    unroll<0, NV>([&](auto j) { store(out + ((j / G * quads + q) * G + j % G) * kBytes, reinterpret<std::int8_t>(v[j])); });
  }
}

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
  panels.for_each_part(0, panels.count(), [&](auto vectors, std::int64_t before) {
    constexpr int group = group_of(vectors);
    const std::int64_t column = before * kLanes, left = w.columns - column;
    ColumnSums sums, negative;
    pack_panel<kOrderOf<Out>, vectors>(w, column, static_cast<int>(left < vectors * kLanes ? left : vectors * kLanes), quads,
                                       out + before * quads * kBytes, &sums, &negative);
    for (int j = 0; j < vectors; ++j) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const int channel = channel_of(kOrderOf<Out>, vectors, j, lane);
        const std::int64_t c = column + channel, at = (before + j) * kLanes + lane;
        const bool exists = c < w.columns;
        const auto sum = static_cast<std::uint32_t>(sums.total[channel]);
        const std::uint32_t initial = exists ? static_cast<std::uint32_t>(w.bias[c]) - static_cast<std::uint32_t>(*w.x_zeros) * sum : 0;
        const std::uint32_t correction = Dot::kWeightVectors == 2 ? 0U - static_cast<std::uint32_t>(negative.total[channel])
                                                                  : static_cast<std::uint32_t>(Dot::correction(1)) * sum;
        w.initial[at] = static_cast<std::int32_t>(initial + correction);
        w.multiplier[at] = exists ? w.multipliers[c] : 0.0F;
        if (!kMatrixTiles && !kSorts) continue;
        // Signed x needs no correction on tiles. What products need that are sorted comes below.
        w.initial[vectors_of_all * kLanes + at] = static_cast<std::int32_t>(initial + (kSorts ? correction : 0));
        w.multiplier[vectors_of_all * kLanes + at] = w.multiplier[at];
      }
      if (!kSorts || group != 2 || !w.x_unsigned) continue;
      std::int32_t* const initial = w.initial + (vectors_of_all + before + j) * kLanes;
      for (std::int64_t q = 0; q < quads; ++q) {
        const std::int8_t* const weights = out + (before + j / group * group) * quads * kBytes + (q * group + j % group) * kBytes;
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
