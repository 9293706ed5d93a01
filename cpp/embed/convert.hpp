// Conversions shared by all functions of the table: C structs to the library's types, checked, and exceptions to a status.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "dwsep/c_api.h"
#include "dwsep/dwsep.hpp"
#include "runtime/reject.hpp"
#include "runtime/sizes.hpp"

namespace dwsep::embed {

// Enumerators and structs of both interfaces are converted field by field; where the numbers must agree, the compiler checks it.
static_assert(static_cast<int>(Padding::Mode::explicit_) == DWSEP_PADDING_EXPLICIT &&
              static_cast<int>(Padding::Mode::valid) == DWSEP_PADDING_VALID);
static_assert(static_cast<int>(DType::float32) == DWSEP_FLOAT32 && static_cast<int>(DType::boolean) == DWSEP_BOOL);
static_assert(static_cast<int>(StatusCode::ok) == DWSEP_OK && static_cast<int>(StatusCode::failure) == DWSEP_FAILURE);

using runtime::reject;

inline void not_null(const void* pointer, const std::string& name) {
  if (pointer == nullptr) reject(name, "a pointer", "null");
}

template <class T>
const T& required(const T* pointer, const char* name) {
  not_null(pointer, name);
  return *pointer;
}

inline std::int32_t in_range(std::int32_t value, std::int32_t most, const char* name) {
  if (value < 0 || value > most) reject(name, "a value between 0 and " + std::to_string(most), std::to_string(value));
  return value;
}

inline Activation activation(const dwsep_activation* a) {
  if (a == nullptr) return Activation::none();
  return {static_cast<ActivationKind>(in_range(a->kind, kActivationCount - 1, "activation kind")), a->lo, a->hi};
}

inline ConvOptions convolution(const dwsep_conv_options* o) {
  if (o == nullptr) return {};
  const auto mode = static_cast<Padding::Mode>(in_range(o->padding, DWSEP_PADDING_VALID, "padding"));
  return {o->stride_h, o->stride_w, o->dilation_h, o->dilation_w, {mode, o->pad_top, o->pad_bottom, o->pad_left, o->pad_right}};
}

inline DType dtype(std::int32_t id, const std::string& name) {
  if (!is_dtype(id)) reject(name + ".dtype", "a dwsep_dtype", std::to_string(id));
  return static_cast<DType>(id);
}

inline void no_quantization(const dwsep_quantization* quantization, DType type, const std::string& name) {
  const bool some = quantization != nullptr && quantization->count != 0;
  if (some && type == DType::float32) reject(name, "no quantization for type float32", "a quantization");
}

/// C's quantizations as the library's, which live as long as this: those of a call's tensors, or of a layer's and its filters.
class Quantizations {
 public:
  const Quantization* of(const dwsep_quantization* q, DType type, const std::string& name) {
    if (q == nullptr || q->count == 0) return nullptr;
    no_quantization(q, type, name);
    if (q->count < 0 || q->count > runtime::kLargestSize) reject(name + ".quantization", "a count of 0 or more", std::to_string(q->count));
    not_null(q->scales, name + ".quantization.scales");
    not_null(q->zero_points, name + ".quantization.zero_points");
    std::optional<Quantization>& kept = kept_.at(count_++);
    kept = Quantization{{q->scales, q->scales + q->count}, {q->zero_points, q->zero_points + q->count}, q->axis};
    return &*kept;
  }

  TensorType type(const dwsep_tensor_type& t, const std::string& name) {
    const DType type = dtype(t.dtype, name);
    return {type, of(t.quantization, type, name)};
  }

 private:
  std::array<std::optional<Quantization>, 8> kept_;  // five tensors and three filters
  std::size_t count_ = 0;
};

inline TensorTypes tensor_types(const dwsep_tensor_types* t, Quantizations& q) {
  required(t, "types");
  return {q.type(t->x, "x"), q.type(t->y, "y"), q.type(t->residual, "residual"), q.type(t->expanded, "expanded"),
          q.type(t->depthwise, "depthwise")};
}

/// Common checks of filters: pointers and known types. Sets the types of `to`.
template <class T, class Filter>
Filter checked_filter(const T* f, const std::string& name, Quantizations& q, Filter to) {
  not_null(to.weight, name + ".weight");
  to.dtype = dtype(f->dtype, name);
  to.bias_dtype = dtype(f->bias_dtype, name + ".bias");
  to.quantization = q.of(f->quantization, to.dtype, name + ".weight");
  return to;
}

inline DepthwiseFilter filter(const dwsep_depthwise_filter* f, const char* name, Quantizations& q) {
  required(f, name);
  return checked_filter(f, name, q, DepthwiseFilter{f->weight, f->kh, f->kw, f->channels, f->multiplier, f->bias});
}

inline PointwiseFilter filter(const dwsep_pointwise_filter* f, const char* name, Quantizations& q) {
  required(f, name);
  return checked_filter(f, name, q, PointwiseFilter{f->weight, f->in, f->out, f->bias});
}

inline std::optional<SqueezeExcite> squeeze_excite(const dwsep_squeeze_excite* s) {
  if (s == nullptr) return std::nullopt;
  Quantizations none;  // refused
  return SqueezeExcite{filter(s->reduce_filter, "reduce_filter", none), filter(s->excite_filter, "excite_filter", none),
                       activation(s->reduce_activation), activation(s->excite_activation)};
}

inline StandardFilter filter(const dwsep_standard_filter* f, const char* name, Quantizations& q) {
  required(f, name);
  if (f->groups < 1) reject("groups", "1 or more", std::to_string(f->groups));
  return checked_filter(f, name, q, StandardFilter{f->weight, f->kh, f->kw, f->in, f->out, f->groups, f->bias});
}

inline Shape shape(const dwsep_shape& s, const char* name) {
  for (const std::int64_t size : {s.n, s.h, s.w, s.c}) {
    if (size < 0 || size > runtime::kLargestSize) reject(name, runtime::kSizesWanted, std::to_string(size));
  }
  return {s.n, s.h, s.w, s.c};
}

/// A ConstTensor or a Tensor of C's counterpart.
template <class Result, class T>
Result tensor(const T* t, const char* name, Quantizations& q) {
  const Shape s = shape(required(t, name).shape, name);
  if (!s.empty()) not_null(t->data, name);
  const DType type = dtype(t->dtype, name);
  return {t->data, s, t->stride_n, t->stride_h, t->stride_w, type, q.of(t->quantization, type, name)};
}

template <class Body>
dwsep_status guarded(char* message, std::size_t size, const Body& body) noexcept {
  return attempt(body, [&](StatusCode code, const char* text) {
    if (message != nullptr && size > 0) Status::cut(message, size, text);
    return static_cast<dwsep_status>(code);
  });
}

}  // namespace dwsep::embed
