// What packing weights as quads has in common: four rows of bytes interleaved, and sums of each column.
#pragma once

#include "kernels/int8/quad_panel.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// For each column of a panel the sum of its weights, and what multiplying by them adds to its initial sum.
class ColumnSums {
 public:
  [[gnu::always_inline]] inline void add_row(I8 row) {
    sum_.add(row);
    if constexpr (Dot::kWeightVectors == 2) negative_.add(minimum(row, broadcast(std::int8_t{0})));
    if (++rows_ == 255) flush();  // int16 hold no more
  }
  [[gnu::noinline]] void flush() {
    sum_.flush();
    negative_.flush();
    rows_ = 0;
  }
  /// Once all rows are flushed.
  std::uint32_t sum(int column) const { return static_cast<std::uint32_t>(sum_.total[column]); }
  std::uint32_t correction(int column) const {
    if (Dot::kWeightVectors == 2) return 0U - static_cast<std::uint32_t>(negative_.total[column]);
    return static_cast<std::uint32_t>(Dot::correction(1)) * sum(column);
  }

 private:
  struct Halves {
    alignas(64) std::int32_t total[4 * kLanes] = {};
    I16 lower = broadcast(std::int16_t{0}), upper = lower;

    [[gnu::always_inline]] inline void add(I8 row) {
      lower = DWSEP_ISA_NAMESPACE::add(lower, widen_lower(row));
      upper = DWSEP_ISA_NAMESPACE::add(upper, widen_upper(row));
    }
    void flush() {
      const auto to = [&](int j, I32 v) { store(total + j * kLanes, DWSEP_ISA_NAMESPACE::add(load(total + j * kLanes), v)); };
      to(0, widen_lower(lower));
      to(1, widen_upper(lower));
      to(2, widen_lower(upper));
      to(3, widen_upper(upper));
      lower = upper = broadcast(std::int16_t{0});
    }
  };
  Halves sum_, negative_;
  int rows_ = 0;
};

/// Four rows of bytes as vectors of quads, in the packed order of a panel of four vectors: channels share each 16 bytes out four by four.
[[gnu::always_inline]] inline void interleave_rows(const I8 (&row)[4], I8 (&v)[4]) {
  const auto pairs = [](I8 a) { return reinterpret<std::int16_t>(a); };
  const auto bytes = [](I16 a) { return reinterpret<std::int8_t>(a); };
  const I16 lower = pairs(lane_unpack_lower(row[0], row[1])), lower2 = pairs(lane_unpack_lower(row[2], row[3]));
  const I16 upper = pairs(lane_unpack_upper(row[0], row[1])), upper2 = pairs(lane_unpack_upper(row[2], row[3]));
  v[0] = bytes(lane_unpack_lower(lower, lower2));
  v[1] = bytes(lane_unpack_upper(lower, lower2));
  v[2] = bytes(lane_unpack_lower(upper, upper2));
  v[3] = bytes(lane_unpack_upper(upper, upper2));
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
