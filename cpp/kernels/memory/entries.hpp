// Non-temporal copies, and the loops that measure a machine, in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/memory/nontemporal.hpp"
#include "kernels/memory/peak.hpp"
#include "kernels/memory/stream.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kMemory[] = {
    entry<copy_nontemporal>("copy_nontemporal", Family::copy_nontemporal),
    entry<fma_chain>("fma_chain", Family::fma_chain),
    entry<read_stream>("read_stream", Family::read_stream),
    entry<copy_stream>("copy_stream", Family::copy_stream),
};
extern constexpr KernelList unit_memory = list_of(kMemory);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
