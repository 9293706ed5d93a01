// The register tiles of depthwise kernels: their heights, the tallest first, by the number of registers.
#pragma once

#include <type_traits>

#include "kernels/depthwise/walk.hpp"
#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr bool kMany = kRegisters == 32;
using Heights5 = std::conditional_t<kMany, Sizes<7, 4, 3, 2, 1>, Sizes<3, 2, 1>>;

/// The problem of a kernel without channel multiplier or dilation.
constexpr Problem square(int size, int stride) { return {size, size, stride, stride, 1, 1, 1, 0}; }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
