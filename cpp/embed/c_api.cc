// The table of C functions: each turns C's structs into the library's own and what is thrown into a status. A dwsep_layer is a Layer that
// goes by another name, so that layers that Python made can be lent to C.
#include "dwsep/c_api.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "dwsep/dwsep.hpp"
#include "dwsep/status.hpp"

namespace dwsep {
namespace {

// Enumerators and structs of both interfaces are converted field by field; where the numbers must agree, the compiler checks it.
static_assert(static_cast<int>(ActivationKind::clip) == DWSEP_CLIP && static_cast<int>(ActivationKind::gelu) == DWSEP_GELU);
static_assert(static_cast<int>(Padding::Mode::explicit_) == DWSEP_PADDING_EXPLICIT &&
              static_cast<int>(Padding::Mode::valid) == DWSEP_PADDING_VALID);
static_assert(static_cast<int>(StatusCode::ok) == DWSEP_OK && static_cast<int>(StatusCode::failure) == DWSEP_FAILURE);

[[noreturn]] void refuse(const std::string& name, const std::string& wanted, const std::string& got) {
  throw std::invalid_argument(name + ": must be " + wanted + ", got " + got);
}

template <class T>
const T& required(const T* pointer, const char* name) {
  if (pointer == nullptr) refuse(name, "a pointer", "null");
  return *pointer;
}

std::int32_t in_range(std::int32_t value, std::int32_t most, const char* name) {
  if (value < 0 || value > most) refuse(name, "between 0 and " + std::to_string(most), std::to_string(value));
  return value;
}

Activation activation(const dwsep_activation* a) {
  if (a == nullptr) return Activation::none();
  return {static_cast<ActivationKind>(in_range(a->kind, DWSEP_GELU, "activation kind")), a->lo, a->hi};
}

ConvOptions convolution(const dwsep_conv_options* o) {
  if (o == nullptr) return {};
  const auto mode = static_cast<Padding::Mode>(in_range(o->padding, DWSEP_PADDING_VALID, "padding"));
  return {o->stride_h, o->stride_w, o->dilation_h, o->dilation_w, {mode, o->pad_top, o->pad_bottom, o->pad_left, o->pad_right}};
}

DepthwiseFilter filter(const dwsep_depthwise_filter* f, const char* name) {
  required(required(f, name).weights, name);
  return {f->weights, f->kh, f->kw, f->channels, f->multiplier, f->bias};
}

PointwiseFilter filter(const dwsep_pointwise_filter* f, const char* name) {
  required(required(f, name).weights, name);
  return {f->weights, f->in, f->out, f->bias};
}

StandardFilter filter(const dwsep_standard_filter* f, const char* name) {
  required(required(f, name).weights, name);
  if (f->groups < 1) refuse("groups", "1 or more", std::to_string(f->groups));
  return {f->weights, f->kh, f->kw, f->in, f->out, f->groups, f->bias};
}

Shape shape(const dwsep_shape& s, const char* name) {
  for (const std::int64_t size : {s.n, s.h, s.w, s.c}) {
    if (size < 0 || size > std::int64_t{1} << 48) refuse(name, "of sizes between 0 and 2^48", std::to_string(size));
  }
  return {s.n, s.h, s.w, s.c};
}

/// A ConstTensor or a Tensor of C's counterpart.
template <class Result, class T>
Result tensor(const T* t, const char* name) {
  const Shape s = shape(required(t, name).shape, name);
  if (!s.empty()) required(t->data, name);
  return {t->data, s, t->stride_n, t->stride_h, t->stride_w};
}

const Layer& the(const dwsep_layer* layer) { return reinterpret_cast<const Layer&>(required(layer, "layer")); }

template <class Body>
dwsep_status guarded(char* message, std::size_t size, const Body& body) noexcept {
  const Status status = attempt(body);
  if (message != nullptr && size > 0) {
    const std::size_t length = std::min(std::strlen(status.message()), size - 1);
    std::memcpy(message, status.message(), length);
    message[length] = '\0';
  }
  return static_cast<dwsep_status>(status.code());
}

template <class Make>
dwsep_status new_layer(dwsep_layer** layer, char* message, std::size_t size, const Make& make) noexcept {
  if (layer != nullptr) *layer = nullptr;
  return guarded(message, size, [&] {
    required(layer, "layer");
    *layer = reinterpret_cast<dwsep_layer*>(std::make_unique<Layer>(make()).release());
  });
}

dwsep_status new_depthwise(const dwsep_depthwise_filter* f, const dwsep_conv_options* o, const dwsep_activation* a, dwsep_layer** layer,
                           char* message, std::size_t size) {
  return new_layer(layer, message, size, [&] { return DepthwiseConv2D(filter(f, "filter"), convolution(o), activation(a)); });
}

dwsep_status new_pointwise(const dwsep_pointwise_filter* f, const dwsep_activation* a, dwsep_layer** layer, char* message,
                           std::size_t size) {
  return new_layer(layer, message, size, [&] { return PointwiseConv2D(filter(f, "filter"), activation(a)); });
}

dwsep_status new_separable(const dwsep_depthwise_filter* d, const dwsep_pointwise_filter* p, const dwsep_conv_options* o,
                           const dwsep_activation* inner, const dwsep_activation* a, dwsep_layer** layer, char* message, std::size_t size) {
  return new_layer(layer, message, size, [&] {
    return SeparableConv2D(filter(d, "depthwise"), filter(p, "pointwise"), convolution(o), activation(inner), activation(a));
  });
}

dwsep_status new_inverted_residual(const dwsep_pointwise_filter* e, const dwsep_depthwise_filter* d, const dwsep_pointwise_filter* p,
                                   const dwsep_conv_options* o, const dwsep_activation* first, const dwsep_activation* second,
                                   const dwsep_activation* a, dwsep_layer** layer, char* message, std::size_t size) {
  return new_layer(layer, message, size, [&] {
    return InvertedResidual(filter(e, "expand"), filter(d, "depthwise"), filter(p, "project"), convolution(o), activation(first),
                            activation(second), activation(a));
  });
}

dwsep_status new_standard(const dwsep_standard_filter* f, const dwsep_conv_options* o, const dwsep_activation* a, dwsep_layer** layer,
                          char* message, std::size_t size) {
  return new_layer(layer, message, size, [&] { return Conv2D(filter(f, "filter"), convolution(o), activation(a)); });
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
    if (threads < 0) refuse("threads", "0 or more", std::to_string(threads));
    const auto in = tensor<ConstTensor>(x, "x");
    const auto out = tensor<Tensor>(y, "y");
    const ConstTensor add = residual != nullptr ? tensor<ConstTensor>(residual, "residual") : ConstTensor();
    the(layer)(in, out, residual != nullptr ? &add : nullptr, threads);
  });
}

int get_num_threads() { return num_threads(); }

dwsep_status change_num_threads(int threads, char* message, std::size_t size) {
  return guarded(message, size, [&] { set_num_threads(threads); });
}

constexpr dwsep_api kApi = {DWSEP_C_ABI,  sizeof(dwsep_api), new_depthwise, new_pointwise, new_separable,   new_inverted_residual,
                            new_standard, delete_layer,      output_shape,  run,           get_num_threads, change_num_threads};

}  // namespace
}  // namespace dwsep

const dwsep_api* dwsep_get_api(std::uint32_t abi) { return abi == DWSEP_C_ABI ? &dwsep::kApi : nullptr; }
