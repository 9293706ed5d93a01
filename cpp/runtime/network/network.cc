// The public face: Network and NetworkBuilder.
#include "dwsep/network.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "runtime/layers/geometry.hpp"
#include "runtime/network/execution_plan.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/weights.hpp"
#include "runtime/threads/thread_count.hpp"

namespace dwsep {

using namespace runtime;

namespace {

Dims dims_of(const Sizes& sizes, const std::string& what) {
  if (sizes.size() > static_cast<std::size_t>(Dims::kMaxRank)) reject(what, "of at most 8 axes", std::to_string(sizes.size()));
  Dims d;
  for (const std::int64_t size : sizes) d.push_back(size);
  return d;
}

Sizes sizes_of(const Dims& d) { return Sizes(d.begin(), d.end()); }

std::vector<Dims> dims_of(const std::vector<Sizes>& inputs) {
  std::vector<Dims> all;
  all.reserve(inputs.size());
  for (const Sizes& s : inputs) all.push_back(dims_of(s, "input"));
  return all;
}

/// A plan for one call, given back afterwards.
class Lease {
 public:
  Lease(const NetworkImpl& network, const std::vector<Dims>& inputs, int threads)
      : network_(network), plan_(network.take(inputs, threads)) {}
  ~Lease() {
    try {
      network_.give(std::move(plan_));
    } catch (const std::exception&) {  // no memory to keep it: the next call plans anew
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ExecutionPlan* operator->() const { return plan_.get(); }

 private:
  const NetworkImpl& network_;
  std::unique_ptr<ExecutionPlan> plan_;
};

bool missing(const void* data, std::int64_t count) { return data == nullptr && count > 0; }

bool run_network(const NetworkImpl& network, const std::vector<ConstArray>& inputs, const std::vector<float*>& outputs, int threads,
                 double* seconds, const std::function<bool()>& proceed) {
  const NetworkDraft& d = network.definition();
  if (outputs.size() != d.outputs.size())
    reject("outputs", std::to_string(d.outputs.size()) + " in number", std::to_string(outputs.size()));
  std::vector<Dims> shapes;
  std::vector<const float*> data;
  for (const ConstArray& input : inputs) {
    shapes.push_back(dims_of(input.shape, "input"));
    data.push_back(input.data);
  }
  const Lease plan(network, shapes, resolve_threads(threads));
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (missing(data[i], shapes[i].count())) reject("input '" + d.input_infos[i].name + "'", "a pointer", "null");
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Dims& shape = plan->shapes()[static_cast<std::size_t>(d.outputs[i])];
    if (missing(outputs[i], shape.count())) reject("output '" + d.output_infos[i].name + "'", "a pointer", "null");
  }
  return plan->run(data.data(), outputs.data(), seconds, proceed);
}

std::int64_t count_parameters(const Op& op) {
  std::int64_t count = 0;
  for (const NamedWeights& w : op.named_weights()) count += logical_parameters(w.weights);
  return count;
}

}  // namespace

Network::Network(std::shared_ptr<const NetworkImpl> impl) : impl_(std::move(impl)) {}

Network Network::load(const std::string& path) {
  check_path(path);
  try {
    return Network(std::make_shared<NetworkImpl>(read_file(path)));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string(error.what()) + " (in '" + path + "')");
  }
}

Network Network::from_memory(const void* data, std::size_t bytes) {
  if (data == nullptr && bytes > 0) reject("data", "a pointer", "null");
  return Network(std::make_shared<NetworkImpl>(read_memory(data, bytes)));
}

void Network::save(const std::string& path) const {
  check_path(path);
  write_file(impl_->definition(), path);
}

std::vector<char> Network::to_memory() const { return write_memory(impl_->definition()); }

const std::vector<ValueInfo>& Network::inputs() const { return impl_->definition().input_infos; }
const std::vector<ValueInfo>& Network::outputs() const { return impl_->definition().output_infos; }
const std::map<std::string, std::string>& Network::metadata() const { return impl_->definition().metadata; }

std::vector<Sizes> Network::output_shapes(const std::vector<Sizes>& inputs) const {
  const std::vector<Dims> shapes = impl_->infer(dims_of(inputs));
  std::vector<Sizes> result;
  for (const int v : impl_->definition().outputs) result.push_back(sizes_of(shapes[static_cast<std::size_t>(v)]));
  return result;
}

void Network::run(const std::vector<ConstArray>& inputs, const std::vector<float*>& outputs, int threads) const {
  run_network(*impl_, inputs, outputs, threads, nullptr, {});
}

bool Network::run(const std::vector<ConstArray>& inputs, const std::vector<float*>& outputs, int threads,
                  const std::function<bool()>& proceed) const {
  return run_network(*impl_, inputs, outputs, threads, nullptr, proceed);
}

std::vector<double> Network::profile(const std::vector<ConstArray>& inputs, const std::vector<float*>& outputs, int threads,
                                     const std::function<bool()>& proceed) const {
  std::vector<double> seconds(impl_->definition().steps.size(), 0.0);
  run_network(*impl_, inputs, outputs, threads, seconds.data(), proceed);
  return seconds;
}

std::vector<StepInfo> Network::steps(const std::vector<Sizes>& inputs, int threads) const {
  const Lease plan(*impl_, dims_of(inputs), resolve_threads(threads));
  const std::vector<Dims>& shapes = plan->shapes();
  std::vector<StepInfo> infos;
  for (const Step& step : impl_->definition().steps) {
    StepInfo info{
        step.description.name, step.description.kind, {}, {}, sizes_of(shapes[static_cast<std::size_t>(step.output)]), 0, 0, 0, false};
    std::vector<Dims> operands;
    for (const int v : step.inputs) {
      operands.push_back(shapes[static_cast<std::size_t>(v)]);
      info.inputs.push_back(sizes_of(operands.back()));
    }
    info.kernel = step.op->kernel(operands, plan->threads());
    info.parameters = count_parameters(*step.op);
    info.free = plan->free(static_cast<int>(infos.size()));
    if (!info.free) {
      const Dims& out = shapes[static_cast<std::size_t>(step.output)];
      info.flops = step.op->flops(operands, out);
      info.bytes = 4.0 * static_cast<double>(info.parameters + out.count());
      for (const Dims& x : operands) info.bytes += 4.0 * static_cast<double>(x.count());
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

std::int64_t Network::arena_bytes(const std::vector<Sizes>& inputs, int threads) const {
  return 4 * Lease(*impl_, dims_of(inputs), resolve_threads(threads))->arena_floats();
}

std::int64_t Network::weight_bytes() const {
  std::int64_t floats = 0;
  for (const Step& step : impl_->definition().steps) {
    for (const NamedWeights& w : step.op->named_weights()) floats += stored_floats(w.weights);
  }
  return 4 * floats;
}

NetworkBuilder::NetworkBuilder() : draft_(std::make_unique<NetworkDraft>()) {}
NetworkBuilder::~NetworkBuilder() = default;

namespace {

std::shared_ptr<const float> copied(const ConstArray& array, const Dims& shape, const std::string& what) {
  check_size(shape, what);
  if (missing(array.data, shape.count())) reject(what, "a pointer", "null");
  const std::int64_t count = shape.count();
  AlignedFloats memory = aligned_floats(count);
  std::copy_n(array.data, count, memory.get());
  return {memory.release(), AlignedDelete()};
}

}  // namespace

int NetworkBuilder::input(const std::string& name, const Sizes& shape) {
  return draft_->add_input(name, dims_of(shape, "input '" + name + "'"));
}

int NetworkBuilder::constant(const ConstArray& array) {
  const Dims shape = dims_of(array.shape, "constant");
  return draft_->add_constant(shape, copied(array, shape, "constant"));
}

int NetworkBuilder::step(const std::string& kind, const std::string& name, const std::vector<int>& inputs,
                         const std::map<std::string, NetworkAttribute>& attributes, const std::map<std::string, ConstArray>& weights) {
  Description d;
  d.kind = kind;
  d.name = name;
  d.attributes = attributes;
  for (const auto& entry : weights) {
    const std::string what = "weights '" + entry.first + "'";
    const Dims shape = dims_of(entry.second.shape, what);
    // Packing copies them; nothing refers to them afterwards but what small vectors an op keeps.
    d.weights.emplace(entry.first, RawWeights{shape, copied(entry.second, shape, what)});
  }
  return draft_->add_step(std::move(d), inputs);
}

void NetworkBuilder::output(const std::string& name, int value) { draft_->add_output(name, value); }

void NetworkBuilder::metadata(const std::string& key, const std::string& text) { draft_->add_metadata(key, text); }

Network NetworkBuilder::finish() {
  // Emptied before anything is checked, so that the builder is as new also where the network is refused.
  return Network(std::make_shared<NetworkImpl>(std::exchange(*draft_, NetworkDraft())));
}

}  // namespace dwsep
