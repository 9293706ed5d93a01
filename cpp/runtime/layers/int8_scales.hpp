// The arithmetic of quantisation when a layer is made: multipliers, bounds, biases, and whether sums fit int32.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/layers/int8_stage.hpp"

namespace dwsep::runtime {

/// Zero point and bounds of a channel of y, as int8.
struct Int8Range {
  std::int32_t zero, lo, hi;
};

/// What kernels pack, dense and as int8.
struct Int8Scales {
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> weight_zeros;  ///< empty where all are 0
  std::vector<std::int32_t> bias, x_zeros;
  std::vector<float> multipliers;
  std::vector<Int8Range> ranges;  ///< of an int8 output: one, or one for each column
  Int8Residual residual{};        ///< without data
};

/// Where a real bound of an activation lies in a tensor.
std::int32_t int8_bound(float real, float scale, std::int32_t zero);

/// Throws std::invalid_argument where a scale or a bias cannot be represented, or a sum could overflow.
Int8Scales int8_scales(const Int8Filter& filter, const Int8Tensors& tensors, const Activation& activation);

}  // namespace dwsep::runtime
