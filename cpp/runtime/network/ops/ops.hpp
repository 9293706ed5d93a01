// One maker for each kind of op. The list that finds them by name is in make_op.cc.
#pragma once

#include <memory>

#include "runtime/network/op.hpp"

namespace dwsep::runtime {

using OpMaker = std::unique_ptr<const Op> (*)(const Description&);

// layer_op.cc: convolutions
std::unique_ptr<const Op> make_depthwise_op(const Description& d);
std::unique_ptr<const Op> make_pointwise_op(const Description& d);
std::unique_ptr<const Op> make_standard_op(const Description& d);
std::unique_ptr<const Op> make_separable_op(const Description& d);
std::unique_ptr<const Op> make_inverted_residual_op(const Description& d);

// elementwise.cc
std::unique_ptr<const Op> make_activation_op(const Description& d);
std::unique_ptr<const Op> make_unary_op(const Description& d);
std::unique_ptr<const Op> make_binary_op(const Description& d);

// pool.cc, reduce.cc, normalise.cc, resize.cc, matmul.cc
std::unique_ptr<const Op> make_pool_op(const Description& d);
std::unique_ptr<const Op> make_reduce_op(const Description& d);
std::unique_ptr<const Op> make_softmax_op(const Description& d);
std::unique_ptr<const Op> make_layer_norm_op(const Description& d);
std::unique_ptr<const Op> make_resize_op(const Description& d);
std::unique_ptr<const Op> make_matmul_op(const Description& d);

// rearrange.cc and its neighbours: what only moves elements
std::unique_ptr<const Op> make_identity_op(const Description& d);
std::unique_ptr<const Op> make_reshape_op(const Description& d);
std::unique_ptr<const Op> make_transpose_op(const Description& d);
std::unique_ptr<const Op> make_concat_op(const Description& d);
std::unique_ptr<const Op> make_slice_op(const Description& d);
std::unique_ptr<const Op> make_pad_op(const Description& d);
std::unique_ptr<const Op> make_gather_op(const Description& d);
std::unique_ptr<const Op> make_expand_op(const Description& d);
std::unique_ptr<const Op> make_zero_insert_op(const Description& d);

}  // namespace dwsep::runtime
