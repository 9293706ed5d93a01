// The list of all kinds.
#include <algorithm>

#include "runtime/network/ops/ops.hpp"

namespace dwsep::runtime {
namespace {

struct Entry {
  const char* kind;
  OpMaker make;
};

constexpr Entry kOps[] = {
    {"depthwise", make_depthwise_op},
    {"pointwise", make_pointwise_op},
    {"standard", make_standard_op},
    {"separable", make_separable_op},
    {"inverted_residual", make_inverted_residual_op},
    {"activation", make_activation_op},
    {"unary", make_unary_op},
    {"binary", make_binary_op},
    {"pool", make_pool_op},
    {"reduce", make_reduce_op},
    {"softmax", make_softmax_op},
    {"layer_norm", make_layer_norm_op},
    {"resize", make_resize_op},
    {"matmul", make_matmul_op},
    {"identity", make_identity_op},
    {"reshape", make_reshape_op},
    {"transpose", make_transpose_op},
    {"concat", make_concat_op},
    {"slice", make_slice_op},
    {"pad", make_pad_op},
    {"gather", make_gather_op},
    {"expand", make_expand_op},
    {"zero_insert", make_zero_insert_op},
};

}  // namespace

ValueType Op::infer_type(const Description& d, const std::vector<ValueType>& inputs) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype != DType::float32) d.reject("input " + std::to_string(i), "of type float32", name_of(inputs[i].dtype));
  }
  return {};
}

std::unique_ptr<const Op> make_op(const Description& d) {
  const auto* const found = std::find_if(std::begin(kOps), std::end(kOps), [&](const Entry& e) { return d.kind == e.kind; });
  if (found == std::end(kOps)) d.reject("kind", "one that this version knows", "'" + d.kind + "'");
  std::unique_ptr<const Op> op = found->make(d);
  d.check_all_known();
  return op;
}

}  // namespace dwsep::runtime
