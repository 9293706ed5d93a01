// The kernels that tensor_work.hpp lists.
#pragma once

#include "kernels/elementwise/binary.hpp"
#include "kernels/elementwise/map.hpp"
#include "kernels/elementwise/unary.hpp"
#include "kernels/normalise/layer_norm.hpp"
#include "kernels/normalise/softmax.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/reduce/fold.hpp"
#include "kernels/resize/resize.hpp"
#include "kernels/transpose/transpose.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr TensorKernels kTensorKernels = {map,     unary,         binary,     fold,   fold_rows, pool,
                                          softmax, softmax_steps, layer_norm, resize, blend,     transpose};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
