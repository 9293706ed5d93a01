// The list of all families; finds a kind's schema and checks a description by it.
#include <cstring>

#include "runtime/network/ops/ops.hpp"

namespace dwsep::runtime {
namespace {

using Family = ConstSpan<OpSchema> (*)();

constexpr Family kFamilies[] = {cast_ops,      compare_ops, concat_ops,    convolution_ops, elementwise_ops, gather_ops,    int8_ops,
                                lookup_ops,    matmul_ops,  normalise_ops, pad_ops,         pool_ops,        quantize_ops,  rearrange_ops,
                                recurrent_ops, reduce_ops,  resize_ops,    search_ops,      suppress_ops,    transposed_ops};

const OpSchema& schema_of(const Description& d) {
  for (const Family family : kFamilies) {
    for (const OpSchema& schema : family()) {
      if (d.kind == schema.kind) return schema;
    }
  }
  d.reject("kind", "a known kind", "'" + d.kind + "'");
}

bool declares(const AttributeSchema& a, const std::string& name) {
  const std::size_t length = std::strlen(a.name);
  if (name.compare(0, length, a.name) != 0) return false;
  const std::string rest = name.substr(length);
  return rest.empty() || (a.type == AttributeType::activation && (rest == "_lo" || rest == "_hi"));
}

bool declares(const WeightsSchema& w, const std::string& name) {
  const std::size_t length = std::strlen(w.name);
  return name.compare(0, length, w.name) == 0 && (name.size() == length || name[length] == '.');
}

template <class Schema, class Given>
void check_names(const Description& d, const ConstSpan<Schema>& declared, const Given& given, const char* wanted, const char* got) {
  for (const auto& item : given) {
    bool known = false;
    for (const Schema& schema : declared) known = known || declares(schema, item.first);
    if (!known) d.reject(item.first, wanted, got);
  }
  for (const Schema& schema : declared) {
    bool found = schema.presence == Presence::optional;
    for (const auto& item : given) found = found || declares(schema, item.first);
    if (!found) d.reject(schema.name, "a value", "none");
  }
}

}  // namespace

ValueType Op::infer_type(const Description& d, const std::vector<ValueType>& inputs) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype != DType::float32) d.reject("input " + std::to_string(i), "type float32", name_of(inputs[i].dtype));
  }
  return {};
}

std::vector<const OpSchema*> op_schemas() {
  std::vector<const OpSchema*> all;
  for (const Family family : kFamilies) {
    for (const OpSchema& schema : family()) all.push_back(&schema);
  }
  return all;
}

void check_input_count(const Description& d, std::size_t count) {
  const OpSchema& schema = schema_of(d);
  const auto least = static_cast<std::size_t>(schema.least_inputs);
  const auto most = schema.most_inputs == kAnyNumber ? count : static_cast<std::size_t>(schema.most_inputs);
  if (count >= least && count <= most) return;
  std::string wanted = std::to_string(least);
  if (schema.most_inputs == kAnyNumber) wanted += " or more";
  if (schema.most_inputs > schema.least_inputs) wanted += " to " + std::to_string(most);
  d.reject("inputs", wanted + (wanted == "1" ? " array" : " arrays"), std::to_string(count));
}

namespace {

/// So that no op reads weights as other types than they have.
void check_types(const Description& d, const ConstSpan<WeightsSchema>& declared) {
  for (const auto& item : d.weights) {
    const auto* const raw = std::get_if<RawWeights>(&item.second);
    for (const WeightsSchema& schema : declared) {
      if (raw == nullptr || !declares(schema, item.first) || (schema.types & type_bit(raw->type.dtype)) != 0) continue;
      std::string wanted;
      for (int id = 0; id < kDTypes; ++id) {
        if ((schema.types & type_bit(DType{id})) != 0) wanted += (wanted.empty() ? "type " : " or ") + std::string(name_of(DType{id}));
      }
      d.reject("weights '" + item.first + "'", wanted, name_of(raw->type.dtype));
    }
  }
}

}  // namespace

std::unique_ptr<const Op> make_op(const Description& d) {
  const OpSchema& schema = schema_of(d);
  check_names(d, schema.attributes, d.attributes, "an attribute of this kind of step", "an unknown one");
  check_names(d, schema.weights, d.weights, "weights of this kind of step", "unknown ones");
  check_types(d, schema.weights);
  std::unique_ptr<const Op> op = schema.make(d);
  d.check_all_known();  // declared ones may still be unused: bounds of an activation that has none
  return op;
}

}  // namespace dwsep::runtime
