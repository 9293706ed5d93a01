// Any function of one byte.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::flatten]] inline void int8_table(const TableWork& work) {
  const TableWork w = work;  // bytes that are stored could be its own
  Part<std::int8_t> part;
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const std::int8_t* const x = w.x + r * w.x_row;
    std::int8_t* const y = w.y + r * w.y_row;
    by_bytes(w.columns, [&](std::int64_t c, int n) { store_part(y + c, look_up(load(part.at(x + c, n)), w.table), n); });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
