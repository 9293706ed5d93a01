// The standard convolution in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/standard/standard.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kStandard[] = {
    entry<standard>("standard", Family::standard),
};
extern constexpr KernelList unit_standard = list_of(kStandard);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
