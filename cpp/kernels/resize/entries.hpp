// The kernels of resizing in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/resize/resize.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kResize[] = {
    entry<resize>("resize", Family::resize),
    entry<blend>("blend", Family::blend),
};
extern constexpr KernelList unit_resize = list_of(kResize);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
