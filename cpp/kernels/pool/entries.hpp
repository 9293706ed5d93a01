// Pooling in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/pool/pool.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kPool[] = {
    entry<pool>("pool", Family::pool),
};
extern constexpr KernelList unit_pool = list_of(kPool);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
