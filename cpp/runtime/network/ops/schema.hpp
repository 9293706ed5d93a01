// Schemas of the kinds of steps, declared next to their code: dispatch, checks and the comparison with Python read them.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/network/op.hpp"

namespace dwsep::runtime {

/// A constant array that lives as long as the program.
template <class T>
class ConstSpan {
 public:
  constexpr ConstSpan() = default;
  template <std::size_t N>
  constexpr ConstSpan(const T (&items)[N]) : first_(items), count_(N) {}  // NOLINT: meant to be implicit
  constexpr const T* begin() const { return first_; }
  constexpr const T* end() const { return first_ + count_; }

 private:
  const T* first_ = nullptr;
  std::size_t count_ = 0;
};

enum class AttributeType {
  flag,        ///< 0 or 1
  integer,     ///< one
  pair,        ///< two integers
  sides,       ///< four integers
  integers,    ///< any number of them
  real,        ///< one float
  real_pair,   ///< two floats
  reals,       ///< any number of them
  choice,      ///< one of some strings
  activation,  ///< a name, and `_lo` and `_hi` if the activation has bounds
};

enum class Presence { required, optional };

struct AttributeSchema {
  const char* name;
  AttributeType type;
  Presence presence = Presence::required;
  ConstSpan<const char*> choices = {};
};

/// The quantization of an output, as that of the step `quantize`: an op that takes integers has these four.
inline constexpr const char* kByteTypes[] = {"int8", "uint8"};
inline constexpr AttributeSchema kOutputType{"to", AttributeType::choice, Presence::optional, kByteTypes};
inline constexpr AttributeSchema kOutputScale{"scale", AttributeType::reals, Presence::optional};
inline constexpr AttributeSchema kOutputZero{"zero_point", AttributeType::integers, Presence::optional};
inline constexpr AttributeSchema kOutputAxis{"axis", AttributeType::integer, Presence::optional};

/// Types of weights that are not packed.
constexpr unsigned type_bit(DType type) { return 1U << static_cast<unsigned>(type); }
inline constexpr unsigned kFloats = type_bit(DType::float32);
inline constexpr unsigned kFloatsOrBytes = kFloats | type_bit(DType::int8) | type_bit(DType::uint8);
inline constexpr unsigned kFloatsOrInt32 = kFloats | type_bit(DType::int32);

/// Packed weights of group g are named `name`.g.
struct WeightsSchema {
  const char* name;
  int rank;
  Presence presence = Presence::required;
  unsigned types = kFloats;  ///< bits of those it may have
};

constexpr int kAnyNumber = -1;

struct OpSchema {
  const char* kind;
  std::unique_ptr<const Op> (*make)(const Description&);
  int least_inputs, most_inputs;
  ConstSpan<AttributeSchema> attributes = {};
  ConstSpan<WeightsSchema> weights = {};
};

/// Makes an op by its constructor.
template <class T>
std::unique_ptr<const Op> make(const Description& d) {
  return std::make_unique<T>(d);
}

}  // namespace dwsep::runtime
