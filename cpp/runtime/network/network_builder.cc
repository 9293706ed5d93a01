// The public class NetworkBuilder.
#include <cstring>
#include <utility>

#include "dwsep/network.hpp"
#include "runtime/network/network_impl.hpp"
#include "runtime/network/sizes.hpp"

namespace dwsep {

using namespace runtime;

NetworkBuilder::NetworkBuilder() : draft_(std::make_unique<NetworkDraft>()) {}
NetworkBuilder::~NetworkBuilder() = default;

namespace {

ValueType type_of(DType dtype, const Quantization* quantization) {
  return {dtype, quantization == nullptr ? nullptr : std::make_shared<const Quantization>(*quantization)};
}

std::shared_ptr<const void> copied(const ConstArray& array, const Dims& shape, const std::string& what) {
  if (!is_dtype(static_cast<int>(array.dtype))) reject(what, "a known type", "an unknown type");
  check_size(shape, what);
  if (missing(array.data, shape)) reject(what, "a pointer", "null");
  const std::int64_t bytes = shape.count() * size_of(array.dtype);
  const std::shared_ptr<void> memory = shared_memory(bytes);
  if (bytes > 0) std::memcpy(memory.get(), array.data, static_cast<std::size_t>(bytes));
  return memory;
}

}  // namespace

int NetworkBuilder::input(const std::string& name, const Sizes& shape, DType dtype, const Quantization* quantization) {
  return draft_->add_input(name, dims_of(shape, ("input '" + name + "'").c_str()), type_of(dtype, quantization));
}

int NetworkBuilder::constant(const ConstArray& array) {
  const Dims shape = dims_of(array.shape, "constant");
  return draft_->add_constant(shape, copied(array, shape, "constant"), type_of(array.dtype, array.quantization));
}

int NetworkBuilder::step(const std::string& kind, const std::string& name, const std::vector<int>& inputs,
                         const std::map<std::string, NetworkAttribute>& attributes, const std::map<std::string, ConstArray>& weights) {
  Description d;
  d.kind = kind;
  d.name = name;
  d.attributes = attributes;
  for (const auto& entry : weights) {
    const std::string what = "weights '" + entry.first + "'";
    const Dims shape = dims_of(entry.second.shape, what.c_str());
    if (entry.second.quantization != nullptr) reject(what, "no quantization: scales are weights of their own", "one");
    // Packing copies them; nothing refers to them afterwards but what small vectors an op keeps.
    d.weights.emplace(entry.first, RawWeights{shape, copied(entry.second, shape, what), ValueType{entry.second.dtype}});
  }
  return draft_->add_step(std::move(d), inputs);
}

void NetworkBuilder::output(const std::string& name, int value) { draft_->add_output(name, value); }

void NetworkBuilder::example(const std::vector<Sizes>& inputs) { draft_->set_example(dims_of(inputs)); }

int NetworkBuilder::size(SizeOp op, std::int64_t a, std::int64_t b) { return draft_->open.add(op, a, b, draft_->input_infos); }

void NetworkBuilder::require(int size, SizeRelation relation, const std::string& text) { draft_->add_condition({size, relation, text}); }

void NetworkBuilder::open_attribute(int value, const std::string& attribute, std::size_t position, int size, int divisor) {
  draft_->add_use({value, attribute, position, size, divisor});
}

void NetworkBuilder::open_output(int output, int axis) { draft_->add_output_axis(output, axis); }

void NetworkBuilder::metadata(const std::string& key, const std::string& text) { draft_->add_metadata(key, text); }

Network NetworkBuilder::finish() {
  // Emptied before anything is checked, so that the builder is as new also where the network is refused.
  return Network(std::make_shared<NetworkImpl>(std::exchange(*draft_, NetworkDraft())));
}

}  // namespace dwsep
