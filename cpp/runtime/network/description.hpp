// The description of an op: named attributes and weights, unchecked until an op reads them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "dwsep/options.hpp"
#include "runtime/layers/int8_types.hpp"
#include "runtime/layers/packing.hpp"
#include "runtime/network/value_type.hpp"

namespace dwsep::runtime {

/// Integers, floats or a string.
using Attribute = std::variant<std::vector<std::int64_t>, std::vector<double>, std::string>;

/// A dense array of weights as a builder gives it.
struct RawWeights {
  Dims shape;
  std::shared_ptr<const void> values;
  ValueType type{};

  template <class T>
  const T* as() const {
    return static_cast<const T*>(values.get());
  }
};

/// Weights as a builder gives them, or as an earlier op packed them.
using Weights = std::variant<RawWeights, PackedMatrix, PackedDepthwise>;

/// Weights of an op and their name in its description.
struct NamedWeights {
  std::string name;
  Weights weights;
};

/// Reads attributes with errors that name the op, the attribute, the wanted and the received value.
class Description {
 public:
  std::string kind, name;  ///< the name is for messages and reports
  std::map<std::string, Attribute> attributes;
  std::map<std::string, Weights> weights;
  std::vector<ValueType> inputs;  ///< the types of what it reads, while the op is made

  [[noreturn]] void reject(const std::string& what, const std::string& wanted, const std::string& got) const;

  bool has(const std::string& attribute) const { return find(attribute) != nullptr; }
  bool has_weights(const std::string& key) const { return find_weights(key) != nullptr; }
  /// Null where there are none.
  const Attribute* find(const std::string& attribute) const;
  const Weights* find_weights(const std::string& key) const;
  /// Throws std::invalid_argument if an attribute or weights have not been read.
  void check_all_known() const;
  const std::string& string(const std::string& attribute) const;
  std::int64_t integer(const std::string& attribute, std::int64_t least, std::int64_t most) const;
  bool flag(const std::string& attribute) const;
  double number(const std::string& attribute) const;
  /// `count` is -1 for any number up to Dims::kMaxRank.
  Dims dims(const std::string& attribute, int count, std::int64_t least, std::int64_t most) const;
  const std::vector<std::int64_t>& integers(const std::string& attribute) const;
  const std::vector<double>& floats(const std::string& attribute) const;

  /// Attributes `prefix`activation (a string) with `prefix`activation_lo and _hi where the kind has them; none where it is absent.
  Activation activation(const std::string& prefix = {}) const;
  /// stride, dilation, padding.
  ConvOptions conv_options() const;

  /// Whether the first input holds integers that stand for real numbers.
  bool reads_quantized() const { return !inputs.empty() && inputs[0].quantization != nullptr && size_of(inputs[0].dtype) == 1; }
  /// The type that `to`, `scale`, `zero_point` and, unless there is one scale, `axis` give the output; float32 without `to`.
  ValueType quantized_output(Scales scales = Scales::one_or_each) const;
  /// `scale`, `zero_point` and `axis`, each with a prefix.
  std::shared_ptr<const Quantization> quantization(const std::string& prefix = {}, Scales scales = Scales::one_or_each) const;

  /// A vector of weights of a known length.
  const RawWeights& vector(const std::string& key, std::int64_t length) const;

 private:
  mutable std::set<std::string> asked_;  ///< names that have been read
};

}  // namespace dwsep::runtime
