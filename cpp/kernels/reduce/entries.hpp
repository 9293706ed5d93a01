// The reductions in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/reduce/reduce.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kReduce[] = {
    entry<reduce>("reduce", Family::reduce),
    entry<reduce_rows>("reduce_rows", Family::reduce_rows),
};
extern constexpr KernelList unit_reduce = list_of(kReduce);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
