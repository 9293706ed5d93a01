// What a Conv2D is: depthwise where each channel is a group, of integers, or a matrix product for each group.
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep {

namespace runtime {

void check_groups(std::int64_t groups, std::int64_t in, std::int64_t out) {
  if (groups < 1 || in < 1 || in % groups != 0) {
    reject("groups", "a divisor of the " + std::to_string(in) + " input channels", std::to_string(groups));
  }
  if (out < 1 || out % groups != 0) {
    reject("groups", "a divisor of the " + std::to_string(out) + " output channels", std::to_string(groups));
  }
}

}  // namespace runtime

namespace {

using namespace runtime;

std::shared_ptr<const PackedLayer> packed_standard(const StandardFilter& f, const ConvOptions& options, const Activation& activation,
                                                   const TensorTypes& types) {
  const bool int8 = is_int8(types);
  if (!int8) check_types(f);
  if (!int8) check_float_types(types);
  if (f.groups > 1 && f.groups == f.in && f.out % f.groups == 0) {
    const DepthwiseFilter depthwise{f.weight, f.kh, f.kw, f.in, f.out / f.in, f.bias, f.dtype, f.bias_dtype, f.quantization};
    if (int8) return make_int8_depthwise(depthwise, options, activation, types);
    return make_depthwise(checked_pack(depthwise, options), options, activation);
  }
  check_options(options, f.kh, f.kw);
  check_groups(f.groups, f.in, f.out);
  if (int8) return make_int8_standard(f, options, activation, types);
  check_weights(f.weight, {f.kh, f.kw, f.in / f.groups, f.out});
  const std::int64_t k = f.kh * f.kw * (f.in / f.groups), columns = f.out / f.groups;
  const auto *const weights = static_cast<const float*>(f.weight), *const bias = static_cast<const float*>(f.bias);
  std::vector<PackedMatrix> groups;
  for (std::int64_t g = 0; g < f.groups; ++g) {
    const float* const group_bias = bias == nullptr ? nullptr : bias + g * columns;
    groups.push_back(pack_matrix(weights + g * columns, f.out, group_bias, k, columns, active_kernels()));
  }
  return make_standard(std::move(groups), f.kh, f.kw, f.in, f.out, options, activation);
}

}  // namespace

Conv2D::Conv2D(const StandardFilter& f, const ConvOptions& options, const Activation& activation, const TensorTypes& types)
    : Layer(packed_standard(f, options, activation, types)) {}

}  // namespace dwsep
