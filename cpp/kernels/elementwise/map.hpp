// Any activation, from x to y.
#pragma once

#include "kernels/activation/epilogue.hpp"
#include "kernels/activation/functions.hpp"
#include "kernels/elementwise/map_block.hpp"
#include "kernels/tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// y = f(x), for a work with x and y.
template <class Work, class F>
[[gnu::always_inline]] inline void map_rows(const Work& w, const F& f) {
  map_wide(w.x, w.x_row, w.y, w.y_row, w.rows, w.columns, f);
}

[[gnu::flatten]] inline void map(const MapWork& w) {
  with_activation(w.activation, [&](const auto& f) { map_block(w.x, w.x_row, w.y, w.y_row, w.rows, w.columns, f); });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
