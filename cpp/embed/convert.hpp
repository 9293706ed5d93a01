// Conversions shared by all functions of the table: C structs to the library's types, checked, and exceptions to a status.
#pragma once

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

/// Scales belong to integer types, which are rejected before their scales are read.
inline void no_quantization(const dwsep_quantization* quantization, DType type, const std::string& name) {
  const bool some = quantization != nullptr && quantization->count != 0;
  if (some && type == DType::float32) reject(name, "no quantization for type float32", "a quantization");
}

/// Common checks of filters: pointers and known types.
template <class T>
const T& checked_filter(const T* f, const std::string& name) {
  not_null(required(f, name.c_str()).weight, name + ".weight");
  no_quantization(f->quantization, dtype(f->dtype, name), name + ".weight");
  static_cast<void>(dtype(f->bias_dtype, name + ".bias"));
  return *f;
}

inline DepthwiseFilter filter(const dwsep_depthwise_filter* f, const char* name) {
  checked_filter(f, name);
  return {f->weight, f->kh, f->kw, f->channels, f->multiplier, f->bias, DType{f->dtype}, DType{f->bias_dtype}};
}

inline PointwiseFilter filter(const dwsep_pointwise_filter* f, const char* name) {
  checked_filter(f, name);
  return {f->weight, f->in, f->out, f->bias, DType{f->dtype}, DType{f->bias_dtype}};
}

inline std::optional<SqueezeExcite> squeeze_excite(const dwsep_squeeze_excite* s) {
  if (s == nullptr) return std::nullopt;
  return SqueezeExcite{filter(s->reduce_filter, "reduce_filter"), filter(s->excite_filter, "excite_filter"),
                       activation(s->reduce_activation), activation(s->excite_activation)};
}

inline StandardFilter filter(const dwsep_standard_filter* f, const char* name) {
  checked_filter(f, name);
  if (f->groups < 1) reject("groups", "1 or more", std::to_string(f->groups));
  return {f->weight, f->kh, f->kw, f->in, f->out, f->groups, f->bias, DType{f->dtype}, DType{f->bias_dtype}};
}

inline Shape shape(const dwsep_shape& s, const char* name) {
  for (const std::int64_t size : {s.n, s.h, s.w, s.c}) {
    if (size < 0 || size > runtime::kLargestSize) reject(name, runtime::kSizesWanted, std::to_string(size));
  }
  return {s.n, s.h, s.w, s.c};
}

/// A ConstTensor or a Tensor of C's counterpart.
template <class Result, class T>
Result tensor(const T* t, const char* name) {
  const Shape s = shape(required(t, name).shape, name);
  if (!s.empty()) not_null(t->data, name);
  const DType type = dtype(t->dtype, name);
  no_quantization(t->quantization, type, name);
  return {t->data, s, t->stride_n, t->stride_h, t->stride_w, type};
}

template <class Body>
dwsep_status guarded(char* message, std::size_t size, const Body& body) noexcept {
  return attempt(body, [&](StatusCode code, const char* text) {
    if (message != nullptr && size > 0) Status::cut(message, size, text);
    return static_cast<dwsep_status>(code);
  });
}

}  // namespace dwsep::embed
