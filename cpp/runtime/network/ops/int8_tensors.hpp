// What ops on int8 and uint8 share: scales and zero points of their inputs and of the output.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/int8_tensor_work.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {

/// Whether a step computes with integers: its first input holds them. Throws std::invalid_argument where it does not, but is to quantize
/// its output.
bool computes_int8(const Description& d);

/// real value = scale * (stored - zero), stored as int8; uint8 is 128 higher, and has the upper bit flipped.
struct Int8Tensor {
  float scale;
  std::int32_t zero;
  std::uint8_t flip;
};

/// Of an input, or of any value that `what` names. Throws std::invalid_argument unless it is int8 or uint8 and has one scale.
Int8Tensor int8_tensor(const Description& d, const ValueType& type, const std::string& what);
Int8Tensor int8_input(const Description& d, std::size_t i);

/// What `to`, `scale` and `zero_point` say, float32 without them, and where bounds of the activation lie. Throws std::invalid_argument
/// unless that is a clip.
struct Int8Output {
  explicit Int8Output(const Description& d);
  bool real() const { return type.dtype == DType::float32; }

  ValueType type;
  Int8Tensor tensor;  ///< scale 1 where it is real
  std::int32_t lo, hi;
  float real_lo, real_hi;
};

/// The quotient or product of scales. Throws std::invalid_argument where float32 does not hold it.
float checked_scale(const Description& d, float scale);

/// Whether a step rounds as onnxruntime does. Throws std::invalid_argument if it is to, and rounds nothing.
bool rounds_zero_first(const Description& d, const Int8Output& y);

/// So many numbers a mean may have: their sum is an int32, or one that float32 holds exactly.
constexpr std::int64_t kMostInMean = std::int64_t{1} << 23, kMostInTies = 65000;
/// The members of a mean's work that its tensors decide.
void set_mean(const Description& d, const Int8Output& y, Int8PoolWork* w);

std::unique_ptr<const Op> make_int8_binary(const Description& d);
std::unique_ptr<const Op> make_int8_softmax(const Description& d);

}  // namespace dwsep::runtime
