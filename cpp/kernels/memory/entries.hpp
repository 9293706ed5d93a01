// Copies past the caches, and the loops that measure a machine, in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/memory/far.hpp"
#include "kernels/memory/peak.hpp"
#include "kernels/memory/stream.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kMemory[] = {
    {"store_far", Family::store_far, {}, erased<store_far>},
    {"fma_chain", Family::fma_chain, {}, erased<fma_chain>},
    {"read_stream", Family::read_stream, {}, erased<read_stream>},
    {"copy_stream", Family::copy_stream, {}, erased<copy_stream>},
};
extern constexpr KernelList unit_memory = list_of(kMemory);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
