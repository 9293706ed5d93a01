// The normalisations in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/normalise/layer_norm.hpp"
#include "kernels/normalise/softmax.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kNormalise[] = {
    {"softmax", Family::softmax, {}, erased<softmax>},
    {"softmax_steps", Family::softmax_steps, {}, erased<softmax_steps>},
    {"layer_norm", Family::layer_norm, {}, erased<layer_norm>},
};
extern constexpr KernelList unit_normalise = list_of(kNormalise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
