// Kernels of int8 other than convolutions in the registry. No multiply-add is fused, so that all instruction sets give the same bits.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8_tensor/binary.hpp"
#include "kernels/int8_tensor/convert.hpp"
#include "kernels/int8_tensor/pool.hpp"
#include "kernels/int8_tensor/resize.hpp"
#include "kernels/int8_tensor/table.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kInt8Tensor[] = {
    entry<int8_binary>("int8_binary", Family::binary, {}, kInt8),
    entry<int8_pool>("int8_pool", Family::pool, {}, kInt8),
    entry<int8_resize>("int8_resize", Family::resize, {}, kInt8),
    entry<int8_table>("int8_table", Family::map, {}, kInt8),
    entry<int8_quantize>("int8_quantize", Family::map, {}, kFloatToInt8),
    entry<int8_dequantize>("int8_dequantize", Family::map, {}, kInt8ToFloat),
};
extern constexpr KernelList unit_int8_tensor = list_of(kInt8Tensor);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
