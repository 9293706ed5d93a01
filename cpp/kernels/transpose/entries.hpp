// The transposition in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/transpose/transpose.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kTranspose[] = {
    entry<transpose>("transpose", Family::transpose),
    entry<interleave_bytes>("interleave_bytes", Family::transpose, {}, kInt8),
};
extern constexpr KernelList unit_transpose = list_of(kTranspose);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
