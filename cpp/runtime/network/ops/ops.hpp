// The ops by families, each a file, and the list of all.
#pragma once

#include <vector>

#include "runtime/network/ops/schema.hpp"

namespace dwsep::runtime {

ConstSpan<OpSchema> cast_ops();
ConstSpan<OpSchema> compare_ops();
ConstSpan<OpSchema> concat_ops();
ConstSpan<OpSchema> convolution_ops();
ConstSpan<OpSchema> elementwise_ops();
ConstSpan<OpSchema> gather_ops();
ConstSpan<OpSchema> int8_ops();
ConstSpan<OpSchema> lookup_ops();
ConstSpan<OpSchema> matmul_ops();
ConstSpan<OpSchema> normalise_ops();
ConstSpan<OpSchema> pad_ops();
ConstSpan<OpSchema> pool_ops();
ConstSpan<OpSchema> quantize_ops();
ConstSpan<OpSchema> rearrange_ops();
ConstSpan<OpSchema> recurrent_ops();
ConstSpan<OpSchema> reduce_ops();
ConstSpan<OpSchema> resize_ops();
ConstSpan<OpSchema> search_ops();
ConstSpan<OpSchema> suppress_ops();
ConstSpan<OpSchema> transposed_ops();

/// Of all families.
std::vector<const OpSchema*> op_schemas();

}  // namespace dwsep::runtime
