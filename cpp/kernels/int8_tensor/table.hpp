// Any function of one byte.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// No byte is looked up twice: y may be x.
[[gnu::flatten]] inline void int8_table(const TableWork& work) {
  const TableWork w = work;  // bytes that are stored could be its own
  alignas(64) std::int8_t table[256];
  __builtin_memcpy(table, w.table, sizeof table);
  Part<std::int8_t> part;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const std::int8_t* const x = w.x + r * w.x_row;
    std::int8_t* const y = w.y + r * w.y_row;
    for (std::int64_t c = 0; c < w.columns; c += kByteLanes) {
      const int n = static_cast<int>(w.columns - c < kByteLanes ? w.columns - c : kByteLanes);
      store_part(y + c, look_up(load(part.at(x + c, n)), table), n);
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
