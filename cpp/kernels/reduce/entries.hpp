// The reductions in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/reduce/fold.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kReduce[] = {
    entry<fold>("fold", Family::fold),
    entry<fold_rows>("fold_rows", Family::fold_rows),
};
extern constexpr KernelList unit_reduce = list_of(kReduce);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
