// The public class Network.
#include "dwsep/network.hpp"

#include <stdexcept>
#include <utility>

#include "runtime/layers/geometry.hpp"
#include "runtime/network/batch.hpp"
#include "runtime/network/execution_plan.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/sizes.hpp"
#include "runtime/network/weights.hpp"
#include "runtime/threads/thread_count.hpp"
#include "runtime/utf8.hpp"

namespace dwsep {

using namespace runtime;

namespace {

Sizes sizes_of(const Dims& d) { return Sizes(d.begin(), d.end()); }

/// A plan for one call, returned afterwards.
class Lease {
 public:
  Lease(const NetworkImpl& network, std::unique_ptr<ExecutionPlan> plan) : network_(network), plan_(std::move(plan)) {}
  Lease(const NetworkImpl& network, const std::vector<Dims>& inputs, int threads) : Lease(network, network.take(inputs, threads)) {}
  ~Lease() {
    try {
      network_.give(std::move(plan_));
    } catch (const std::exception&) {  // out of memory: the next call plans again
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ExecutionPlan* operator->() const { return plan_.get(); }

 private:
  const NetworkImpl& network_;
  std::unique_ptr<ExecutionPlan> plan_;
};

void check_array(const char* what, const ValueInfo& info, DType got) {
  if (got == info.dtype) return;
  reject(what + (" '" + info.name + "'"), std::string("type ") + name_of(info.dtype),
         is_dtype(static_cast<int>(got)) ? name_of(got) : "an unknown type");
}

bool run_network(const NetworkImpl& network, const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads,
                 double* seconds, const std::function<bool()>& proceed, std::vector<StepSpan>* spans = nullptr) {
  const NetworkDraft& d = network.definition();
  if (outputs.size() != d.outputs.size())
    reject("outputs", std::to_string(d.outputs.size()) + (d.outputs.size() == 1 ? " array" : " arrays"), std::to_string(outputs.size()));
  Batch batch;
  std::unique_ptr<ExecutionPlan> taken = network.take_again(inputs, resolve_threads(threads));
  if (taken == nullptr) {
    std::vector<Dims> shapes;
    shapes.reserve(inputs.size());
    for (const ConstArray& input : inputs) shapes.push_back(dims_of(input.shape, "input"));
    batch = divide(d, shapes);
    taken = network.take(shapes, resolve_threads(threads));
  }
  const Lease plan(network, std::move(taken));
  std::vector<const void*>& sources = plan->sources;
  std::vector<void*>& targets = plan->targets;
  sources.clear();
  targets.clear();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ValueInfo& info = d.input_infos[i];
    check_array("input", info, inputs[i].dtype);
    if (inputs[i].quantization != nullptr && info.quantization != *inputs[i].quantization)
      reject("input '" + info.name + "'", info.quantization ? "the network's quantization" : "no quantization", "another");
    if (batch.images > 0 && missing(inputs[i].data, plan->input_shapes()[i])) reject("input '" + info.name + "'", "a pointer", "null");
    sources.push_back(inputs[i].data);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    check_array("output", d.output_infos[i], outputs[i].dtype);
    const Dims& shape = plan->shapes()[static_cast<std::size_t>(d.outputs[i])];
    if (batch.images > 0 && missing(outputs[i].data, shape)) reject("output '" + d.output_infos[i].name + "'", "a pointer", "null");
  }
  for (const OutputArray& output : outputs) targets.push_back(output.data);
  const auto run = [&] {
    if (spans != nullptr) *spans = plan->trace(sources.data(), targets.data());
    return spans != nullptr || plan->run(sources.data(), targets.data(), seconds, proceed);
  };
  if (batch.images == 1) return run();
  const auto bytes_of = [&](int v) {
    return d.values[static_cast<std::size_t>(v)].type.bytes(plan->shapes()[static_cast<std::size_t>(v)]);
  };
  return for_each_image(batch.images, proceed, run, [&] {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (batch.divided[i]) sources[i] = static_cast<const char*>(sources[i]) + bytes_of(d.inputs[i]);
    }
    for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<char*>(targets[i]) + bytes_of(d.outputs[i]);
  });
}

std::int64_t count_parameters(const Op& op) {
  std::int64_t count = 0;
  for (const NamedWeights& w : op.named_weights()) count += logical_parameters(w.weights);
  return count;
}

double parameter_bytes(const Op& op) {
  double bytes = 0;
  for (const NamedWeights& w : op.named_weights()) bytes += logical_bytes(w.weights);
  return bytes;
}

}  // namespace

Network::Network(std::shared_ptr<const NetworkImpl> impl) : impl_(std::move(impl)) {}

Network Network::load(const std::string& path, bool map) {
  check_path(path);
  try {
    return Network(std::make_shared<NetworkImpl>(read_file(path, map)));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string(error.what()) + " (in '" + printable(path) + "')");
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
  std::vector<Dims> single = dims_of(inputs);
  const NetworkDraft& d = impl_->definition();
  const Batch batch = divide(d, single);
  const std::vector<Dims> shapes = impl_->output_shapes(single);
  std::vector<Sizes> result;
  result.reserve(d.outputs.size());
  for (std::size_t i = 0; i < d.outputs.size(); ++i) {
    Dims shape = shapes[i];
    if (batch.images != 1) {
      shape[0] = batch.images;
      check_size(shape, "output '" + d.output_infos[i].name + "'");
    }
    result.push_back(sizes_of(shape));
  }
  return result;
}

bool Network::admits(const std::vector<Sizes>& inputs) const {
  std::vector<Dims> single = dims_of(inputs);
  divide(impl_->definition(), single);
  return impl_->admits(single);
}

void Network::run(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads) const {
  run_network(*impl_, inputs, outputs, threads, nullptr, {});
}

bool Network::run(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads,
                  const std::function<bool()>& proceed) const {
  return run_network(*impl_, inputs, outputs, threads, nullptr, proceed);
}

std::vector<double> Network::profile(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads,
                                     const std::function<bool()>& proceed) const {
  std::vector<double> seconds(impl_->definition().steps.size(), 0.0);
  run_network(*impl_, inputs, outputs, threads, seconds.data(), proceed);
  return seconds;
}

std::vector<StepSpan> Network::trace(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads) const {
  std::vector<StepSpan> spans;
  run_network(*impl_, inputs, outputs, threads, nullptr, {}, &spans);
  return spans;
}

std::vector<StepInfo> Network::steps(const std::vector<Sizes>& inputs, int threads) const {
  std::vector<Dims> single = dims_of(inputs);
  const auto images = static_cast<double>(divide(impl_->definition(), single).images);
  const Lease plan(*impl_, single, resolve_threads(threads));
  const std::vector<Dims>& shapes = plan->shapes();
  const std::vector<Value>& values = impl_->definition().values;
  const auto bytes_of = [&](int v) {
    const auto i = static_cast<std::size_t>(v);
    return static_cast<double>(values[i].type.bytes(shapes[i]));
  };
  std::vector<StepInfo> infos;
  for (const Step& step : impl_->definition().steps) {
    StepInfo info{
        step.description.name, step.description.kind, {}, {}, sizes_of(shapes[static_cast<std::size_t>(step.output)]), 0, 0, 0, false};
    std::vector<Dims> operands;
    for (const int v : step.inputs) {
      operands.push_back(shapes[static_cast<std::size_t>(v)]);
      info.inputs.push_back(sizes_of(operands.back()));
      info.input_types.push_back(values[static_cast<std::size_t>(v)].type.dtype);
    }
    info.type = values[static_cast<std::size_t>(step.output)].type.dtype;
    const Op& op = plan->op(infos.size());
    info.kernel = op.kernel(operands, plan->threads());
    info.parameters = count_parameters(*step.op);
    info.free = plan->free(static_cast<int>(infos.size()));
    if (!info.free) {
      const Dims& out = shapes[static_cast<std::size_t>(step.output)];
      info.flops = images * op.flops(operands, out);
      info.bytes = parameter_bytes(*step.op) + bytes_of(step.output);
      for (const int v : step.inputs) info.bytes += bytes_of(v);
      info.bytes *= images;
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

std::int64_t Network::arena_bytes(const std::vector<Sizes>& inputs, int threads) const {
  std::vector<Dims> single = dims_of(inputs);
  divide(impl_->definition(), single);
  return Lease(*impl_, single, resolve_threads(threads))->arena_bytes();
}

std::vector<PlanInfo> Network::plans() const { return impl_->plans(); }
void Network::trim() const { impl_->trim(); }

std::int64_t Network::weight_bytes() const {
  std::int64_t bytes = 0;
  for (const Step& step : impl_->definition().steps) {
    bytes += step.op->packed_bytes();
    for (const NamedWeights& w : step.op->named_weights()) bytes += stored_bytes(w.weights);
  }
  return bytes;
}

}  // namespace dwsep
