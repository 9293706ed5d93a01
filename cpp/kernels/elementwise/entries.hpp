// The elementwise kernels in the registry.
#pragma once

#include "kernels/elementwise/binary.hpp"
#include "kernels/elementwise/unary.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

void activate_block(float* y, std::int64_t rows, std::int64_t row_stride, std::int64_t columns, const Activation& a) {
  map({y, y, row_stride, row_stride, rows, columns, a});
}

constexpr KernelEntry kElementwise[] = {
    entry<map>("map", Family::map),
    entry<unary>("unary", Family::unary),
    entry<binary>("binary", Family::binary),
};
extern constexpr KernelList unit_elementwise = list_of(kElementwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
