// What kernels of square filters take.
#pragma once

#include "kernels/entry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The problem of a kernel without channel multiplier or dilation.
constexpr Problem square(int size, int stride) { return {size, size, stride, stride, 1, 1, 1, 0}; }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
