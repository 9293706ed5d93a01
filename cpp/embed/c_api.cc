// The table of C functions: each converts C structs to the library's types and exceptions to a status. A dwsep_layer is a Layer
// under another name, so that C can use layers that Python made.
#include "dwsep/c_api.h"

#include <memory>
#include <optional>
#include <string>

#include "dwsep/dwsep.hpp"
#include "embed/c_network.hpp"
#include "embed/convert.hpp"

namespace dwsep {
namespace {

using namespace embed;

const Layer& the(const dwsep_layer* layer) { return reinterpret_cast<const Layer&>(required(layer, "layer")); }

template <class Make>
dwsep_status new_layer(dwsep_layer** layer, char* message, std::size_t size, const Make& make) noexcept {
  if (layer != nullptr) *layer = nullptr;
  return guarded(message, size, [&] {
    required(layer, "layer");
    *layer = reinterpret_cast<dwsep_layer*>(std::make_unique<Layer>(make()).release());
  });
}

template <class Make>
dwsep_status new_typed_layer(const dwsep_tensor_types* types, dwsep_layer** layer, char* message, std::size_t size,
                             const Make& make) noexcept {
  return new_layer(layer, message, size, [&] {
    Quantizations q;
    const TensorTypes t = tensor_types(types, q);
    return make(q, t);
  });
}

dwsep_status new_int8_depthwise(const dwsep_depthwise_filter* f, const dwsep_conv_options* o, const dwsep_activation* a,
                                const dwsep_tensor_types* types, dwsep_layer** layer, char* message, std::size_t size) {
  return new_typed_layer(types, layer, message, size, [&](Quantizations& q, const TensorTypes& t) {
    return DepthwiseConv2D(filter(f, "filter", q), convolution(o), activation(a), t);
  });
}

dwsep_status new_int8_pointwise(const dwsep_pointwise_filter* f, const dwsep_activation* a, const dwsep_tensor_types* types,
                                dwsep_layer** layer, char* message, std::size_t size) {
  return new_typed_layer(types, layer, message, size,
                         [&](Quantizations& q, const TensorTypes& t) { return PointwiseConv2D(filter(f, "filter", q), activation(a), t); });
}

dwsep_status new_int8_separable(const dwsep_depthwise_filter* d, const dwsep_pointwise_filter* f, const dwsep_conv_options* o,
                                const dwsep_activation* inner, const dwsep_activation* a, const dwsep_tensor_types* types,
                                dwsep_layer** layer, char* message, std::size_t size) {
  return new_typed_layer(types, layer, message, size, [&](Quantizations& q, const TensorTypes& t) {
    return SeparableConv2D(filter(d, "depthwise_filter", q), filter(f, "filter", q), convolution(o), activation(inner), activation(a),
                           nullptr, t);
  });
}

dwsep_status new_int8_inverted_residual(const dwsep_pointwise_filter* e, const dwsep_depthwise_filter* d, const dwsep_pointwise_filter* f,
                                        const dwsep_conv_options* o, const dwsep_activation* first, const dwsep_activation* second,
                                        const dwsep_activation* a, const dwsep_tensor_types* types, dwsep_layer** layer, char* message,
                                        std::size_t size) {
  return new_typed_layer(types, layer, message, size, [&](Quantizations& q, const TensorTypes& t) {
    return InvertedResidual(filter(e, "expand_filter", q), filter(d, "depthwise_filter", q), filter(f, "filter", q), convolution(o),
                            activation(first), activation(second), activation(a), nullptr, t);
  });
}

dwsep_status new_int8_standard(const dwsep_standard_filter* f, const dwsep_conv_options* o, const dwsep_activation* a,
                               const dwsep_tensor_types* types, dwsep_layer** layer, char* message, std::size_t size) {
  return new_typed_layer(types, layer, message, size, [&](Quantizations& q, const TensorTypes& t) {
    return Conv2D(filter(f, "filter", q), convolution(o), activation(a), t);
  });
}

constexpr dwsep_tensor_types kFloats{};  // dtype 0 is float32

dwsep_status new_depthwise(const dwsep_depthwise_filter* f, const dwsep_conv_options* o, const dwsep_activation* a, dwsep_layer** layer,
                           char* message, std::size_t size) {
  return new_int8_depthwise(f, o, a, &kFloats, layer, message, size);
}

dwsep_status new_pointwise(const dwsep_pointwise_filter* f, const dwsep_activation* a, dwsep_layer** layer, char* message,
                           std::size_t size) {
  return new_int8_pointwise(f, a, &kFloats, layer, message, size);
}

dwsep_status new_separable(const dwsep_depthwise_filter* d, const dwsep_pointwise_filter* f, const dwsep_conv_options* o,
                           const dwsep_activation* inner, const dwsep_activation* a, const dwsep_squeeze_excite* s, dwsep_layer** layer,
                           char* message, std::size_t size) {
  return new_layer(layer, message, size, [&] {
    const std::optional<SqueezeExcite> factors = squeeze_excite(s);
    Quantizations q;
    return SeparableConv2D(filter(d, "depthwise_filter", q), filter(f, "filter", q), convolution(o), activation(inner), activation(a),
                           factors ? &*factors : nullptr);
  });
}

dwsep_status new_inverted_residual(const dwsep_pointwise_filter* e, const dwsep_depthwise_filter* d, const dwsep_pointwise_filter* f,
                                   const dwsep_conv_options* o, const dwsep_activation* first, const dwsep_activation* second,
                                   const dwsep_activation* a, const dwsep_squeeze_excite* s, dwsep_layer** layer, char* message,
                                   std::size_t size) {
  return new_layer(layer, message, size, [&] {
    const std::optional<SqueezeExcite> factors = squeeze_excite(s);
    Quantizations q;
    return InvertedResidual(filter(e, "expand_filter", q), filter(d, "depthwise_filter", q), filter(f, "filter", q), convolution(o),
                            activation(first), activation(second), activation(a), factors ? &*factors : nullptr);
  });
}

dwsep_status new_standard(const dwsep_standard_filter* f, const dwsep_conv_options* o, const dwsep_activation* a, dwsep_layer** layer,
                          char* message, std::size_t size) {
  return new_int8_standard(f, o, a, &kFloats, layer, message, size);
}

void delete_layer(dwsep_layer* layer) { std::unique_ptr<Layer>{reinterpret_cast<Layer*>(layer)}.reset(); }

dwsep_status output_shape(const dwsep_layer* layer, const dwsep_shape* x, dwsep_shape* y, char* message, std::size_t size) {
  return guarded(message, size, [&] {
    required(y, "y");
    const Shape s = the(layer).output_shape(shape(required(x, "x"), "x"));
    *y = {s.n, s.h, s.w, s.c};
  });
}

dwsep_status run(const dwsep_layer* layer, const dwsep_const_tensor* x, const dwsep_tensor* y, const dwsep_const_tensor* residual,
                 int threads, char* message, std::size_t size) {
  return guarded(message, size, [&] {
    if (threads < 0) reject("threads", "0 or more", std::to_string(threads));
    Quantizations q;
    const auto in = tensor<ConstTensor>(x, "x", q);
    const auto out = tensor<Tensor>(y, "y", q);
    const ConstTensor add = residual != nullptr ? tensor<ConstTensor>(residual, "residual", q) : ConstTensor();
    the(layer)(in, out, residual != nullptr ? &add : nullptr, threads);
  });
}

int get_num_threads() {
  try {
    return num_threads();
  } catch (const std::exception&) {
    return 0;
  }
}

dwsep_status change_num_threads(int threads, char* message, std::size_t size) {
  return guarded(message, size, [&] { set_num_threads(threads); });
}

constexpr dwsep_api kApi = {DWSEP_C_ABI,           sizeof(dwsep_api),  new_depthwise,      new_pointwise,      new_separable,
                            new_inverted_residual, new_standard,       delete_layer,       output_shape,       run,
                            get_num_threads,       change_num_threads, load_network,       read_network,       delete_network,
                            count_values,          describe_input,     describe_output,    output_sizes,       prepare_network,
                            run_network,           new_int8_depthwise, new_int8_pointwise, new_int8_separable, new_int8_inverted_residual,
                            new_int8_standard};

}  // namespace
}  // namespace dwsep

const dwsep_api* dwsep_get_api(std::uint32_t abi) { return abi == DWSEP_C_ABI ? &dwsep::kApi : nullptr; }
