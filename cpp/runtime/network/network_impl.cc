#include "runtime/network/network_impl.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "runtime/layers/geometry.hpp"
#include "runtime/network/execution_plan.hpp"
#include "runtime/threads/float_environment.hpp"
#include "runtime/utf8.hpp"

namespace dwsep::runtime {
namespace {

constexpr std::size_t kMostValues = std::size_t{1} << 16;
constexpr std::size_t kIdlePlans = 8;  // so many concurrent calls, or alternating shapes, without planning again
constexpr std::int64_t kIdleBytes = std::int64_t{256} << 20;

// One for all networks, so that a fork can wait for it: a child would inherit it locked by a thread that it does not have. It is held
// for well under a microsecond.
std::mutex idle_mutex;
const bool survives_fork = pthread_atfork([] { idle_mutex.lock(); }, [] { idle_mutex.unlock(); }, [] { idle_mutex.unlock(); }) == 0;

/// So that the next push_back cannot fail. Doubles the room, as push_back itself would.
template <class T>
void make_room(std::vector<T>& v) {
  if (v.size() == v.capacity()) v.reserve(std::max<std::size_t>(2 * v.size(), 8));
}

void check_text(const Description& d) {
  check_utf8(d.kind, "kind of a step");
  check_utf8(d.name, "name of a step");
  for (const auto& attribute : d.attributes) {
    if (!is_utf8(attribute.first)) d.reject("name of an attribute", "text in UTF-8", "other bytes");
    const auto* text = std::get_if<std::string>(&attribute.second);
    if (text != nullptr && !is_utf8(*text)) d.reject(attribute.first, "text in UTF-8", "other bytes");
  }
}

/// A shape as both C++, where -1 is a size that the call decides, and Python, where None is, can read it: (any, 224, 224, 3).
std::string open_shape(const Dims& shape) {
  std::string text = to_string(shape);
  for (std::size_t at = text.find("-1"); at != std::string::npos; at = text.find("-1", at)) text.replace(at, 2, "any");
  return text;
}

ValueInfo described(const std::string& name, const ValueType& type) {
  ValueInfo info{name, {}, type.dtype, std::nullopt};
  if (type.quantization != nullptr) info.quantization = *type.quantization;
  return info;
}

}  // namespace

void check_size(const Dims& shape, const std::string& what) {
  if (!possible(shape)) reject(what, "sizes of at least 0 and at most 2**40 elements", to_string(shape));
}

void NetworkDraft::prepare() {
  if (values.size() >= kMostValues) reject("network", "at most 65536 values", "more");
  make_room(values);
}

int NetworkDraft::add(Value value) noexcept {
  values.push_back(std::move(value));
  return static_cast<int>(values.size()) - 1;
}

void NetworkDraft::reject_value(int value, const std::string& what) const {
  reject(what, "one of the " + std::to_string(values.size()) + " earlier values, counted from 0", std::to_string(value));
}

int NetworkDraft::add_input(const std::string& name, const Dims& shape, const ValueType& type) {
  check_utf8(name, "name of an input");
  check_value_type("input '" + name + "'", type, shape);
  Dims sizes = shape;
  for (int i = 0; i < sizes.rank(); ++i) {
    if (sizes[i] < -1) reject("input '" + name + "'", "sizes of at least 0, or -1 for any", to_string(shape));
    if (sizes[i] == -1) sizes[i] = 1;
  }
  check_size(sizes, "input '" + name + "'");
  ValueInfo info = described(name, type);
  info.shape.assign(shape.begin(), shape.end());
  prepare();
  make_room(inputs);
  make_room(input_infos);
  inputs.push_back(add({Value::Kind::input, shape, type}));
  input_infos.push_back(std::move(info));
  return inputs.back();
}

int NetworkDraft::add_constant(const Dims& shape, std::shared_ptr<const void> data, const ValueType& type) {
  check_size(shape, "constant");
  check_value_type("constant", type, shape);
  prepare();
  return add({Value::Kind::constant, shape, type, std::move(data)});
}

int NetworkDraft::add_step(Description description, const std::vector<int>& step_inputs) {
  check_text(description);
  for (const int v : step_inputs) {
    // A file may have names of megabytes and as many inputs: the name is formatted only for an error.
    if (!has_value(v)) reject_value(v, "node '" + description.name + "' (" + description.kind + "): input");
  }
  check_input_count(description, step_inputs.size());
  Step step{std::move(description), nullptr, step_inputs, 0};
  std::vector<ValueType>& types = step.description.inputs;
  types.clear();
  for (const int v : step_inputs) types.push_back(values[static_cast<std::size_t>(v)].type);
  {
    const PageScope weights(pages_);
    const FloatEnvironment defaults;
    step.op = make_op(step.description);
  }
  step.description.weights.clear();
  Value output{Value::Kind::computed, {}, step.op->infer_type(step.description, types)};
  types = {};
  prepare();
  make_room(steps);
  step.output = add(std::move(output));
  steps.push_back(std::move(step));
  return steps.back().output;
}

void NetworkDraft::add_output(const std::string& name, int value) {
  check_utf8(name, "name of an output");
  if (!has_value(value)) reject_value(value, "output '" + name + "'");
  ValueInfo info = described(name, values[static_cast<std::size_t>(value)].type);
  make_room(outputs);
  make_room(output_infos);
  outputs.push_back(value);
  output_infos.push_back(std::move(info));
}

void NetworkDraft::add_metadata(const std::string& key, const std::string& text) {
  check_utf8(key, "key of the metadata");
  check_utf8(text, "metadata '" + key + "'");
  metadata.insert_or_assign(key, text);
}

NetworkImpl::NetworkImpl(NetworkDraft draft) : definition_(std::move(draft)) {
  definition_.close_pages();
  if (definition_.outputs.empty()) reject("network", "at least one output", "none");
  // Sizes that the call decides are those that differ between two batches, and those that are open.
  std::vector<Dims> once, twice;
  for (std::size_t i = 0; i < definition_.inputs.size(); ++i) {
    const Dims shape =
        definition_.open.empty() ? definition_.values[static_cast<std::size_t>(definition_.inputs[i])].shape : definition_.open.example[i];
    Dims a, b;
    for (const std::int64_t size : shape) {
      a.push_back(size == -1 ? 1 : size);
      b.push_back(size == -1 ? 2 : size);
    }
    once.push_back(a);
    twice.push_back(b);
  }
  const std::vector<Dims> first = infer(once).shapes, second = infer(twice).shapes;
  for (std::size_t i = 0; i < definition_.outputs.size(); ++i) {
    const Dims &a = first[static_cast<std::size_t>(definition_.outputs[i])], &b = second[static_cast<std::size_t>(definition_.outputs[i])];
    if (a.rank() != b.rank()) reject("output '" + definition_.output_infos[i].name + "'", "one rank for all batches", "several");
    for (int axis = 0; axis < a.rank(); ++axis) definition_.output_infos[i].shape.push_back(a[axis] == b[axis] ? a[axis] : -1);
  }
  for (const OpenSizes::OutputAxis& o : definition_.open.output_axes) {
    ValueInfo& info = definition_.output_infos[static_cast<std::size_t>(o.output)];
    if (static_cast<std::size_t>(o.axis) >= info.shape.size())
      reject("output '" + info.name + "'", std::to_string(o.axis + 1) + " axes", std::to_string(info.shape.size()));
    info.shape[static_cast<std::size_t>(o.axis)] = -1;
  }
}

NetworkImpl::~NetworkImpl() = default;

void NetworkImpl::check_inputs(const std::vector<Dims>& inputs) const {
  const NetworkDraft& d = definition_;
  if (const std::size_t wanted = d.inputs.size(); inputs.size() != wanted) {
    reject("inputs", std::to_string(wanted) + (wanted == 1 ? " array" : " arrays"), std::to_string(inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Dims& wanted = d.values[static_cast<std::size_t>(d.inputs[i])].shape;
    bool fits = wanted.rank() == inputs[i].rank();
    for (int axis = 0; fits && axis < wanted.rank(); ++axis) fits = wanted[axis] == -1 || wanted[axis] == inputs[i][axis];
    if (!fits) reject("input '" + d.input_infos[i].name + "'", "shape " + open_shape(wanted), to_string(inputs[i]));
    check_size(inputs[i], "input '" + d.input_infos[i].name + "'");
  }
}

bool NetworkImpl::admits(const std::vector<Dims>& inputs) const {
  check_inputs(inputs);
  return definition_.open.admits(inputs);
}

Sized NetworkImpl::infer(const std::vector<Dims>& inputs) const {
  const NetworkDraft& d = definition_;
  check_inputs(inputs);
  Sized sized;
  std::vector<Dims>& shapes = sized.shapes;
  shapes.resize(d.values.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) shapes[static_cast<std::size_t>(d.inputs[i])] = inputs[i];
  for (std::size_t v = 0; v < d.values.size(); ++v) {
    if (d.values[v].kind == Value::Kind::constant) shapes[v] = d.values[v].shape;
  }
  sized.ops = ops_for(d, inputs);
  std::vector<Dims> operands;
  for (std::size_t s = 0; s < d.steps.size(); ++s) {
    const Step& step = d.steps[s];
    operands.clear();
    for (const int v : step.inputs) operands.push_back(shapes[static_cast<std::size_t>(v)]);
    Dims& out = shapes[static_cast<std::size_t>(step.output)];
    out = sized.op(d, s).infer(operands);
    check_size(out, "output of node '" + step.description.name + "' (" + step.description.kind + ")");
  }
  return sized;
}

std::vector<Dims> NetworkImpl::output_shapes(const std::vector<Dims>& inputs) const {
  std::vector<Dims> result;
  result.reserve(definition_.outputs.size());  // no memory is asked for under the lock
  const auto pick = [&](const std::vector<Dims>& shapes) {
    for (const int v : definition_.outputs) result.push_back(shapes[static_cast<std::size_t>(v)]);
  };
  {
    const std::lock_guard<std::mutex> lock(idle_mutex);
    const auto found = std::find_if(idle_.begin(), idle_.end(), [&](const auto& i) { return i->input_shapes() == inputs; });
    if (found != idle_.end()) pick((*found)->shapes());
  }
  if (result.empty()) pick(infer(inputs).shapes);
  return result;
}

template <class Inputs>
std::unique_ptr<ExecutionPlan> NetworkImpl::take_idle(const Inputs& inputs, int threads) const {
  const std::lock_guard<std::mutex> lock(idle_mutex);
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& i) { return i->fits(inputs, threads); });
  if (found == idle_.rend()) return nullptr;
  std::unique_ptr<ExecutionPlan> plan = std::move(*found);
  idle_.erase(std::next(found).base());
  return plan;
}

std::unique_ptr<ExecutionPlan> NetworkImpl::take_again(const std::vector<ConstArray>& inputs, int threads) const {
  return take_idle(inputs, threads);
}

std::unique_ptr<ExecutionPlan> NetworkImpl::take(const std::vector<Dims>& inputs, int threads) const {
  if (std::unique_ptr<ExecutionPlan> plan = take_idle(inputs, threads)) return plan;
  const FloatEnvironment defaults;  // weights of resizing are computed there
  return std::make_unique<ExecutionPlan>(definition_, inputs, infer(inputs), threads);
}

void NetworkImpl::give(std::unique_ptr<ExecutionPlan> plan) const {
  if (!survives_fork) return;
  std::array<std::unique_ptr<ExecutionPlan>, kIdlePlans + 1> oldest;  // deleted after the lock is free
  std::size_t left = 0;
  const std::lock_guard<std::mutex> lock(idle_mutex);
  idle_.reserve(kIdlePlans + 1);
  idle_.push_back(std::move(plan));
  std::int64_t bytes = 0;
  for (const auto& i : idle_) bytes += i->arena_bytes();
  while (idle_.size() > kIdlePlans || (idle_.size() > 1 && bytes > kIdleBytes)) {
    bytes -= idle_.front()->arena_bytes();
    oldest[left++] = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

std::vector<PlanInfo> NetworkImpl::plans() const {
  std::vector<PlanInfo> all;
  const std::lock_guard<std::mutex> lock(idle_mutex);
  for (const auto& plan : idle_) {
    PlanInfo info;
    for (const Dims& d : plan->input_shapes()) info.inputs.emplace_back(d.begin(), d.end());
    info.bytes = plan->arena_bytes();
    all.push_back(std::move(info));
  }
  return all;
}

void NetworkImpl::trim() const {
  std::vector<std::unique_ptr<ExecutionPlan>> all;  // deleted after the lock is free
  const std::lock_guard<std::mutex> lock(idle_mutex);
  all.swap(idle_);
}

}  // namespace dwsep::runtime
