// The transposition in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/transpose/transpose.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kTranspose[] = {
    {"transpose", Family::transpose, {}, erased<transpose>},
};
extern constexpr KernelList unit_transpose = list_of(kTranspose);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
