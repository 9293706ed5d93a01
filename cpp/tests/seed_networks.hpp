// Small networks for the fuzzer to begin with: every op of the random tests by itself, and one of convolutions.
#pragma once

#include "dwsep/network.hpp"
#include "network_images.hpp"
#include "network_moves.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/network_impl.hpp"

namespace dwsep::test {

inline std::vector<char> one_op(Case (*draw_case)(Random&), std::uint64_t seed) {
  Random random{std::mt19937_64(seed)};
  Case c = draw_case(random);
  runtime::NetworkDraft draft;
  std::vector<int> inputs;
  for (const Values& x : c.inputs) inputs.push_back(draft.add_input("x", x.shape));
  draft.add_output("y", draft.add_step(c.d, inputs));
  return runtime::write_memory(draft);
}

/// Every kind of convolution, on images of 6x5 pixels.
inline std::vector<char> convolutions() {
  std::vector<float> numbers(1000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 7) - 3.0F;
  const auto some = [&](const Sizes& shape) { return ConstArray{numbers.data(), shape}; };
  const std::map<std::string, NetworkAttribute> window = {
      {"stride", std::vector<Int>{1, 1}}, {"dilation", std::vector<Int>{1, 1}}, {"padding", std::vector<Int>{1, 1, 1, 1}}};
  auto standard = window, residual = window;
  standard["groups"] = std::vector<Int>{1};
  standard["kernel"] = std::vector<Int>{3, 3};
  standard["activation"] = std::string("gelu");
  residual["reduce_activation"] = std::string("silu");
  residual["excite_activation"] = std::string("sigmoid");
  NetworkBuilder b;
  int x = b.input("images", {-1, 6, 5, 3});
  x = b.step("standard", "a", {x}, standard, {{"weight", some({3, 3, 3, 5})}, {"bias", some({5})}});
  x = b.step("depthwise", "b", {x}, window, {{"weight", some({3, 3, 5, 1})}, {"bias", some({5})}});
  x = b.step("separable", "c", {x}, window,
             {{"depthwise_weight", some({3, 3, 5, 1})}, {"depthwise_bias", some({5})}, {"weight", some({5, 6})}, {"bias", some({6})}});
  x = b.step("inverted_residual", "d", {x, x}, residual,
             {{"expand_weight", some({6, 9})},
              {"expand_bias", some({9})},
              {"depthwise_weight", some({3, 3, 9, 1})},
              {"depthwise_bias", some({9})},
              {"weight", some({9, 6})},
              {"bias", some({6})},
              {"reduce_weight", some({9, 2})},
              {"reduce_bias", some({2})},
              {"excite_weight", some({2, 9})},
              {"excite_bias", some({9})}});
  x = b.step("binary", "e", {x, b.constant(some({1, 6}))}, {{"function", std::string("add")}}, {});
  x = b.step("pointwise", "f", {x}, {}, {{"weight", some({6, 4})}, {"bias", some({4})}});
  b.output("y", x);
  b.note("name", "convolutions");
  return b.finish().to_memory();
}

inline std::vector<std::vector<char>> seed_files() {
  std::vector<std::vector<char>> files{convolutions()};
  for (const auto draw_case :
       {activation_case, unary_case, binary_case, pool_case, reduce_case, softmax_case, layer_norm_case, matmul_case, resize_case,
        identity_case, reshape_case, transpose_case, concat_case, slice_case, pad_case, gather_case, expand_case, zero_insert_case}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) files.push_back(one_op(draw_case, seed));
  }
  return files;
}

}  // namespace dwsep::test
