// The implementation of Network: values, steps that compute them, and plans of recent calls.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dwsep/network.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/network/op.hpp"
#include "runtime/network/open_sizes.hpp"

namespace dwsep::runtime {

class ExecutionPlan;

/// Throws std::invalid_argument unless an array, which `what` names, can have these sizes.
void check_size(const Dims& shape, const std::string& what);

/// A value: an input, a constant, or what a step computes.
struct Value {
  enum class Kind : std::uint8_t { input, constant, computed };
  Kind kind = Kind::computed;
  Dims shape;  ///< inputs: -1 for any size; constants: theirs; empty otherwise
  ValueType type;
  std::shared_ptr<const void> data{};  ///< of a constant
};

struct Step {
  Description description;  ///< without weights, which the op keeps packed
  std::shared_ptr<const Op> op;
  std::vector<int> inputs;  ///< values
  int output = 0;
};

/// A network under construction; NetworkImpl is the finished one. A call that throws leaves it unchanged. All text is
/// UTF-8.
class NetworkDraft {
 public:
  std::vector<Value> values;
  std::vector<Step> steps;
  std::vector<int> inputs, outputs;
  std::vector<ValueInfo> input_infos, output_infos;
  std::map<std::string, std::string> metadata;
  OpenSizes open;

  int add_input(const std::string& name, const Dims& shape, const ValueType& type = {});
  int add_constant(const Dims& shape, std::shared_ptr<const void> data, const ValueType& type = {});
  int add_step(Description description, const std::vector<int>& step_inputs);
  void add_output(const std::string& name, int value);
  void add_metadata(const std::string& key, const std::string& text);
  void set_example(std::vector<Dims> inputs);
  void add_condition(OpenSizes::Condition condition);
  void add_use(OpenSizes::Use use);
  void add_output_axis(int output, int axis);
  /// No step comes any more: memory of which no weights were taken goes back.
  void close_pages() { pages_ = PageStore(); }

 private:
  /// Room for one more value, so that `add` cannot fail.
  void prepare();
  int add(Value value) noexcept;
  bool has_value(int value) const { return value >= 0 && static_cast<std::size_t>(value) < values.size(); }
  [[noreturn]] void reject_value(int value, const std::string& what) const;

  PageStore pages_;  ///< for the weights
};

/// The steps of a network for inputs of some shapes.
struct Sized {
  std::vector<Dims> shapes;                    ///< of all values
  std::vector<std::shared_ptr<const Op>> ops;  ///< of the steps; empty where the network's own serve

  const Op& op(const NetworkDraft& network, std::size_t step) const { return ops.empty() ? *network.steps[step].op : *ops[step]; }
};

/// The ops of all steps for inputs of these shapes, those with open attributes made anew where their values differ; empty where the network
/// has no open sizes.
std::vector<std::shared_ptr<const Op>> ops_for(const NetworkDraft& network, const std::vector<Dims>& inputs);

class NetworkImpl {
 public:
  /// Infers all shapes once, to refuse what does not fit.
  explicit NetworkImpl(NetworkDraft draft);
  ~NetworkImpl();

  const NetworkDraft& definition() const { return definition_; }

  /// Throws when inputs of these shapes do not fit.
  Sized infer(const std::vector<Dims>& inputs) const;
  bool admits(const std::vector<Dims>& inputs) const;

  /// Shapes of the outputs, of an idle plan where one has them: to infer them takes half a microsecond and a tenth more for each step.
  std::vector<Dims> output_shapes(const std::vector<Dims>& inputs) const;

  /// A plan for exclusive use: an idle one, or a new one.
  std::unique_ptr<ExecutionPlan> take(const std::vector<Dims>& inputs, int threads) const;
  /// An idle one, or null: of a call like one before the shapes need no more checks.
  std::unique_ptr<ExecutionPlan> take_again(const std::vector<ConstArray>& inputs, int threads) const;
  void give(std::unique_ptr<ExecutionPlan> plan) const;
  std::vector<PlanInfo> plans() const;
  void trim() const;

 private:
  template <class Inputs>
  std::unique_ptr<ExecutionPlan> take_idle(const Inputs& inputs, int threads) const;
  void check_inputs(const std::vector<Dims>& inputs) const;

  NetworkDraft definition_;
  mutable std::vector<std::unique_ptr<ExecutionPlan>> idle_;  ///< oldest first; under a lock that all networks share
};

}  // namespace dwsep::runtime
