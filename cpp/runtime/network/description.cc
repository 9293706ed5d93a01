#include "runtime/network/description.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/layers/geometry.hpp"

namespace dwsep::runtime {

void Description::reject(const std::string& what, const std::string& wanted, const std::string& got) const {
  runtime::reject("node '" + name + "' (" + kind + "): " + what, wanted, got);
}

const Attribute* Description::find(const std::string& attribute) const {
  asked_.insert(attribute);
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? nullptr : &found->second;
}

const Weights* Description::find_weights(const std::string& key) const {
  asked_.insert(key);
  const auto found = weights.find(key);
  return found == weights.end() ? nullptr : &found->second;
}

void Description::check_all_known() const {
  for (const auto& attribute : attributes) {
    if (asked_.count(attribute.first) == 0) reject(attribute.first, "an attribute of this kind of step", "an unknown one");
  }
  for (const auto& part : weights) {
    if (asked_.count(part.first) == 0) reject(part.first, "weights of this kind of step", "unknown ones");
  }
  asked_.clear();
}

const std::string& Description::string(const std::string& attribute) const {
  const Attribute* const found = find(attribute);
  if (found == nullptr) reject(attribute, "a value", "none");
  const auto* value = std::get_if<std::string>(found);
  if (value == nullptr) reject(attribute, "a string", "numbers");
  return *value;
}

const std::vector<std::int64_t>& Description::integers(const std::string& attribute) const {
  const Attribute* const found = find(attribute);
  if (found == nullptr) reject(attribute, "a value", "none");
  const auto* value = std::get_if<std::vector<std::int64_t>>(found);
  if (value == nullptr) reject(attribute, "integers", "something else");
  return *value;
}

const std::vector<double>& Description::floats(const std::string& attribute) const {
  const Attribute* const found = find(attribute);
  if (found == nullptr) reject(attribute, "a value", "none");
  const auto* value = std::get_if<std::vector<double>>(found);
  if (value == nullptr) reject(attribute, "floats", "something else");
  return *value;
}

std::int64_t Description::integer(const std::string& attribute, std::int64_t least, std::int64_t most) const {
  return dims(attribute, 1, least, most)[0];
}

bool Description::flag(const std::string& attribute) const { return integer(attribute, 0, 1) == 1; }

double Description::number(const std::string& attribute) const {
  const std::vector<double>& values = floats(attribute);
  if (values.size() != 1) reject(attribute, "one number", std::to_string(values.size()));
  return values[0];
}

Dims Description::dims(const std::string& attribute, int count, std::int64_t least, std::int64_t most) const {
  const std::vector<std::int64_t>& values = integers(attribute);
  const bool fits =
      count < 0 ? values.size() <= static_cast<std::size_t>(Dims::kMaxRank) : values.size() == static_cast<std::size_t>(count);
  if (!fits) {
    reject(attribute, count < 0 ? "at most " + std::to_string(Dims::kMaxRank) + " numbers" : std::to_string(count) + " numbers",
           std::to_string(values.size()));
  }
  Dims dims;
  for (const std::int64_t v : values) {
    if (v < least || v > most) reject(attribute, "values from " + std::to_string(least) + " to " + std::to_string(most), std::to_string(v));
    dims.push_back(v);
  }
  return dims;
}

Activation Description::activation(const std::string& prefix) const {
  const std::string key = prefix + "activation";
  if (!has(key)) return Activation::none();
  const auto* const found =
      std::find_if(std::begin(kActivations), std::end(kActivations), [&](const ActivationInfo& a) { return string(key) == a.name; });
  if (found == std::end(kActivations)) reject(key, "the name of an activation", "'" + string(key) + "'");
  Activation a{static_cast<ActivationKind>(found - std::begin(kActivations)), 0.0F, 0.0F};
  if (found->numbers > 0) a.lo = static_cast<float>(number(key + "_lo"));
  if (found->numbers > 1) a.hi = static_cast<float>(number(key + "_hi"));
  if (found->numbers == 1 && !std::isfinite(a.lo)) reject(key + "_lo", "a finite value", std::to_string(a.lo));
  if (found->numbers == 2 && !(a.lo <= a.hi)) reject(key, "clip bounds lo <= hi", std::to_string(a.lo) + " and " + std::to_string(a.hi));
  return a;
}

ConvOptions Description::conv_options() const {
  const Dims stride = dims("stride", 2, 1, kMaxPixels), dilation = dims("dilation", 2, 1, kMaxPixels),
             padding = dims("padding", 4, 0, kMaxPixels);
  return {stride[0], stride[1], dilation[0], dilation[1], {Padding::Mode::explicit_, padding[0], padding[1], padding[2], padding[3]}};
}

std::shared_ptr<const Quantization> Description::quantization(const std::string& prefix, Scales scales) const {
  Quantization q;
  for (const double scale : floats(prefix + "scale")) {
    q.scales.push_back(static_cast<float>(scale));
    if (!(q.scales.back() > 0) || !std::isfinite(q.scales.back())) {
      reject(prefix + "scale", "finite and positive numbers", std::to_string(scale));
    }
  }
  for (const std::int64_t zero : integers(prefix + "zero_point")) {
    if (zero < std::numeric_limits<std::int32_t>::min() || zero > std::numeric_limits<std::int32_t>::max()) {
      reject(prefix + "zero_point", "numbers of 32 bits", std::to_string(zero));
    }
    q.zero_points.push_back(static_cast<std::int32_t>(zero));
  }
  if (scales == Scales::one_or_each && has(prefix + "axis")) q.axis = static_cast<int>(integer(prefix + "axis", 0, Dims::kMaxRank - 1));
  if (q.scales.empty() || (q.axis < 0 && q.scales.size() > 1)) {
    reject(prefix + "scale", q.axis < 0 ? "one number" : "numbers", std::to_string(q.scales.size()));
  }
  if (q.scales.size() != q.zero_points.size()) {
    reject(prefix + "zero_point", std::to_string(q.scales.size()) + " numbers, as many as scales", std::to_string(q.zero_points.size()));
  }
  return std::make_shared<const Quantization>(std::move(q));
}

ValueType Description::quantized_output(Scales scales) const {
  if (!has("to")) return {};
  const std::string& to = string("to");
  if (to != "int8" && to != "uint8") reject("to", "'int8' or 'uint8'", "'" + to + "'");
  const std::int32_t least = to == "int8" ? -128 : 0;
  const std::shared_ptr<const Quantization> q = quantization({}, scales);
  for (const std::int32_t zero : q->zero_points) {
    if (zero < least || zero > least + 255) {
      reject("zero_point", "numbers from " + std::to_string(least) + " to " + std::to_string(least + 255), std::to_string(zero));
    }
  }
  return {to == "int8" ? DType::int8 : DType::uint8, q};
}

const RawWeights& Description::vector(const std::string& key, std::int64_t length) const {
  const Weights* const found = find_weights(key);
  if (found == nullptr) reject(key, "a value", "none");
  const auto* raw = std::get_if<RawWeights>(found);
  if (raw == nullptr) reject(key, "plain weights", "packed ones");
  if (raw->shape != Dims{length}) reject(key, "shape " + to_string(Dims{length}), to_string(raw->shape));
  return *raw;
}

}  // namespace dwsep::runtime
