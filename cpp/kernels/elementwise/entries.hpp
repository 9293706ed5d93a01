// The elementwise kernels in the registry.
#pragma once

#include "kernels/elementwise/binary.hpp"
#include "kernels/elementwise/unary.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

void activate_block(float* y, std::int64_t rows, std::int64_t row_stride, std::int64_t columns, const Activation& a) {
  map({y, y, row_stride, row_stride, rows, columns, a});
}

void add_block(const float* x, std::int64_t x_row, float* y, std::int64_t rows, std::int64_t row_stride, std::int64_t columns,
               const Activation& a) {
  binary({BinaryFunction::add, y, x, y, row_stride, x_row, row_stride, false, false, rows, columns, a});
  if (a.kind != ActivationKind::clip) activate_block(y, rows, row_stride, columns, a);
}

constexpr KernelEntry kElementwise[] = {
    entry<map>("map", Family::map),
    entry<unary>("unary", Family::unary),
    entry<binary>("binary", Family::binary),
};
extern constexpr KernelList unit_elementwise = list_of(kElementwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
