// The normalisations in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/normalise/layer_norm.hpp"
#include "kernels/normalise/softmax.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kNormalise[] = {
    entry<softmax>("softmax", Family::softmax),
    entry<softmax_steps>("softmax_steps", Family::softmax_steps),
    entry<layer_norm>("layer_norm", Family::layer_norm),
};
extern constexpr KernelList unit_normalise = list_of(kNormalise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
