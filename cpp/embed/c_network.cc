#include "embed/c_network.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "embed/convert.hpp"

namespace dwsep::embed {
namespace {

const Network& the(const dwsep_network* network) { return reinterpret_cast<const Network&>(required(network, "network")); }

int thread_count(int threads) {
  if (threads < 0) reject("threads", "0 or more", std::to_string(threads));
  return threads;
}

template <class Make>
dwsep_status new_network(dwsep_network** network, char* message, std::size_t size, const Make& make) noexcept {
  if (network != nullptr) *network = nullptr;
  return guarded(message, size, [&] {
    required(network, "network");
    *network = reinterpret_cast<dwsep_network*>(std::make_unique<Network>(make()).release());
  });
}

std::string item(const char* name, std::size_t index) { return std::string(name) + "[" + std::to_string(index) + "]"; }

Sizes sizes(const dwsep_sizes& s, const std::string& name) {
  if (s.axes < 0 || s.axes > DWSEP_MAX_AXES) {
    reject(name, "0 to " + std::to_string(DWSEP_MAX_AXES) + " axes", std::to_string(s.axes));
  }
  return {s.sizes, s.sizes + s.axes};
}

dwsep_sizes sizes(const Sizes& s) {
  dwsep_sizes result{};
  result.axes = static_cast<std::int32_t>(s.size());
  std::copy(s.begin(), s.end(), result.sizes);
  return result;
}

std::string text(const Sizes& s) {
  std::string all;
  for (const std::int64_t size : s) all += (all.empty() ? "" : ", ") + std::to_string(size);
  return "(" + all + (s.size() == 1 ? ",)" : ")");
}

void check_count(const char* name, std::size_t wanted, const void* items, std::size_t got) {
  if (got != wanted) reject(name, std::to_string(wanted), std::to_string(got));
  if (got > 0) required(static_cast<const char*>(items), name);
}

/// Memory for an array of that shape, null only if it is empty.
template <class T>
T* data(T* pointer, const Sizes& shape, const std::string& name) {
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  if (!empty) not_null(pointer, name);
  return pointer;
}

/// Checks that an array has the type of the network's input or output, and its quantization if it brings one.
template <class T>
DType array_type(const T& array, const ValueInfo& info, const std::string& name) {
  const DType type = dtype(array.dtype, name);
  no_quantization(array.quantization, type, name);
  if (type != info.dtype) reject(name, std::string("type ") + name_of(info.dtype), name_of(type));
  const dwsep_quantization* const q = array.quantization;
  if (q == nullptr || q->count == 0) return type;
  const std::int64_t wanted = info.quantization ? static_cast<std::int64_t>(info.quantization->scales.size()) : 0;
  const bool same = q->count == wanted && q->scales != nullptr && q->zero_points != nullptr && q->axis == info.quantization->axis &&
                    std::equal(q->scales, q->scales + wanted, info.quantization->scales.begin()) &&
                    std::equal(q->zero_points, q->zero_points + wanted, info.quantization->zero_points.begin());
  if (!same) reject(name, info.quantization ? "the network's quantization" : "no quantization", "another");
  return type;
}

std::vector<Sizes> input_shapes(const Network& network, const dwsep_sizes* inputs, std::size_t count) {
  check_count("inputs", network.inputs().size(), inputs, count);
  std::vector<Sizes> shapes;
  for (std::size_t i = 0; i < count; ++i) shapes.push_back(sizes(inputs[i], item("inputs", i)));
  return shapes;
}

void describe(const std::vector<ValueInfo>& infos, std::size_t index, dwsep_value* value) {
  required(value, "value");
  if (index >= infos.size()) reject("index", "a number below " + std::to_string(infos.size()), std::to_string(index));
  const ValueInfo& info = infos[index];
  *value = {info.name.c_str(), sizes(info.shape), static_cast<std::int32_t>(info.dtype), {nullptr, nullptr, 0, -1}};
  if (info.quantization) {
    const Quantization& q = *info.quantization;
    value->quantization = {q.scales.data(), q.zero_points.data(), static_cast<std::int64_t>(q.scales.size()), q.axis};
  }
}

}  // namespace

dwsep_status load_network(const char* path, dwsep_network** network, char* message, std::size_t size) {
  return new_network(network, message, size, [&] { return Network::load(&required(path, "path")); });
}

dwsep_status read_network(const void* content, std::size_t bytes, dwsep_network** network, char* message, std::size_t size) {
  return new_network(network, message, size,
                     [&] { return Network::from_memory(&required(static_cast<const char*>(content), "content"), bytes); });
}

void delete_network(dwsep_network* network) { std::unique_ptr<Network>{reinterpret_cast<Network*>(network)}.reset(); }

dwsep_status count_values(const dwsep_network* network, std::size_t* inputs, std::size_t* outputs, char* message, std::size_t size) {
  return guarded(message, size, [&] {
    const Network& n = the(network);
    if (inputs != nullptr) *inputs = n.inputs().size();
    if (outputs != nullptr) *outputs = n.outputs().size();
  });
}

dwsep_status describe_input(const dwsep_network* network, std::size_t index, dwsep_value* value, char* message, std::size_t size) {
  return guarded(message, size, [&] { describe(the(network).inputs(), index, value); });
}

dwsep_status describe_output(const dwsep_network* network, std::size_t index, dwsep_value* value, char* message, std::size_t size) {
  return guarded(message, size, [&] { describe(the(network).outputs(), index, value); });
}

dwsep_status output_sizes(const dwsep_network* network, const dwsep_sizes* inputs, std::size_t input_count, dwsep_sizes* outputs,
                          std::size_t output_count, char* message, std::size_t size) {
  return guarded(message, size, [&] {
    const Network& n = the(network);
    check_count("outputs", n.outputs().size(), outputs, output_count);
    const std::vector<Sizes> shapes = n.output_shapes(input_shapes(n, inputs, input_count));
    for (std::size_t i = 0; i < output_count; ++i) outputs[i] = sizes(shapes[i]);
  });
}

dwsep_status prepare_network(const dwsep_network* network, const dwsep_sizes* inputs, std::size_t input_count, int threads, char* message,
                             std::size_t size) {
  return guarded(message, size, [&] {
    const Network& n = the(network);
    static_cast<void>(n.arena_bytes(input_shapes(n, inputs, input_count), thread_count(threads)));  // plans, and keeps the plan
  });
}

dwsep_status run_network(const dwsep_network* network, const dwsep_const_array* inputs, std::size_t input_count, const dwsep_array* outputs,
                         std::size_t output_count, int threads, char* message, std::size_t size) {
  return guarded(message, size, [&] {
    const Network& n = the(network);
    check_count("inputs", n.inputs().size(), inputs, input_count);
    check_count("outputs", n.outputs().size(), outputs, output_count);
    std::vector<Sizes> shapes;
    std::vector<ConstArray> arrays;
    for (std::size_t i = 0; i < input_count; ++i) {
      const std::string name = item("inputs", i);
      shapes.push_back(sizes(inputs[i].shape, name));
      arrays.emplace_back(data(inputs[i].data, shapes[i], name), shapes[i], array_type(inputs[i], n.inputs()[i], name));
    }
    const std::vector<Sizes> wanted = n.output_shapes(shapes);
    std::vector<OutputArray> results;
    for (std::size_t i = 0; i < output_count; ++i) {
      const std::string name = item("outputs", i);
      const Sizes shape = sizes(outputs[i].shape, name);
      if (shape != wanted[i]) reject(name, "shape " + text(wanted[i]), text(shape));
      results.emplace_back(data(outputs[i].data, shape, name), array_type(outputs[i], n.outputs()[i], name));
    }
    n.run(arrays, results, thread_count(threads));
  });
}

}  // namespace dwsep::embed
