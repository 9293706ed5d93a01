// What int8 layers know of their tensors: checked scales and zero points, all as those of int8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dwsep/layers.hpp"

namespace dwsep::runtime {

/// real value = scale * (stored - zero), stored as int8 or, 128 higher, as uint8.
struct Affine {
  DType dtype;
  std::vector<float> scales;        ///< one, or one for each channel
  std::vector<std::int32_t> zeros;  ///< as many, those of int8

  bool per_channel() const { return scales.size() > 1; }
  float scale(std::int64_t c) const { return scales[per_channel() ? static_cast<std::size_t>(c) : 0]; }
  std::int32_t zero(std::int64_t c) const { return zeros[per_channel() ? static_cast<std::size_t>(c) : 0]; }
  /// What stored bytes are xored with to be int8.
  std::uint8_t flip() const { return flip_of(dtype); }
  static std::uint8_t flip_of(DType type) { return type == DType::uint8 ? 0x80 : 0; }
};

/// How many scales a quantization may have.
enum class Scales { one, one_or_each };

/// Throws std::invalid_argument unless the type is int8 or uint8, its scales are finite and positive and its zero points in its range.
Affine checked_affine(DType dtype, const Quantization* quantization, const std::string& what, std::int64_t channels, Scales scales);

/// The tensors of an int8 layer or stage.
struct Int8Tensors {
  Affine x;
  std::optional<Affine> y;  ///< float32 without
  std::optional<Affine> residual;
  const std::int8_t* table = nullptr;  ///< then the scale of y is that of what is looked up
};

/// Those of a layer; `x_scales`: whether each input channel may have its own.
Int8Tensors checked_tensors(const TensorTypes& types, std::int64_t in, std::int64_t out, Scales x_scales);

/// Whether a layer with these types computes with integers.
inline bool is_int8(const TensorTypes& types) { return types.x.dtype != DType::float32; }

/// Throws std::invalid_argument if a layer that computes with float32 is given other types.
void check_float_types(const TensorTypes& types);

}  // namespace dwsep::runtime
