// Options of operators: geometry and activation.
#pragma once

#include <cstdint>
#include <limits>

#include "dwsep/activations.h"

#pragma GCC visibility push(default)
namespace dwsep {

/// clip, leaky_relu, ...: what activations.h lists.
enum class ActivationKind : std::int32_t {
#define DWSEP_ENUMERATOR(name, NAME, numbers) name,
  DWSEP_ACTIVATIONS(DWSEP_ENUMERATOR)
#undef DWSEP_ENUMERATOR
};

struct ActivationInfo {
  const char* name;
  int numbers;  ///< of `lo` and `hi`, how many it takes
};

/// Properties of each kind, in the order of the enumerators.
constexpr ActivationInfo kActivations[] = {
#define DWSEP_ENTRY(name, NAME, numbers) {#name, numbers},
    DWSEP_ACTIVATIONS(DWSEP_ENTRY)
#undef DWSEP_ENTRY
};
constexpr std::int32_t kActivationCount = sizeof(kActivations) / sizeof(kActivations[0]);

/// Applied to every output after bias and residual. NaN passes through all of them.
struct Activation {
  ActivationKind kind = ActivationKind::clip;
  float lo = -std::numeric_limits<float>::infinity();  ///< clip: lower bound; leaky_relu: slope below zero
  float hi = std::numeric_limits<float>::infinity();   ///< clip: upper bound

  static Activation none() { return {}; }
  static Activation clip(float lo, float hi) { return {ActivationKind::clip, lo, hi}; }
  static Activation relu() { return clip(0.0F, std::numeric_limits<float>::infinity()); }
  static Activation relu6() { return clip(0.0F, 6.0F); }
};

/// Rows and columns of padding. A tap that falls in the padding contributes nothing, whatever its weight.
struct Padding {
  enum class Mode : std::int32_t {
    explicit_,   ///< the four sizes below
    same,        ///< output = ceil(input / stride); an odd pixel goes to the bottom and the right (TensorFlow)
    same_lower,  ///< the same, but an odd pixel goes to the top and the left
    valid,       ///< none
  };
  Mode mode = Mode::same;
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
};

/// The geometry of a spatial convolution.
struct ConvOptions {
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t dilation_h = 1, dilation_w = 1;
  Padding padding;
};

}  // namespace dwsep
#pragma GCC visibility pop
