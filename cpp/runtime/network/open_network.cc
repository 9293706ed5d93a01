// Networks with open sizes: their construction, and their steps for the sizes of a call.
#include <algorithm>
#include <utility>

#include "runtime/network/network_impl.hpp"
#include "runtime/utf8.hpp"

namespace dwsep::runtime {

void NetworkDraft::set_example(std::vector<Dims> inputs_given) {
  if (!open.empty()) reject("example", "one", "another");
  if (inputs_given.size() != inputs.size() || inputs.empty())
    reject("example", std::to_string(inputs.size()) + " shapes", std::to_string(inputs_given.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Dims &shape = values[static_cast<std::size_t>(inputs[i])].shape, &given = inputs_given[i];
    bool fits = shape.rank() == given.rank();
    for (int axis = 0; fits && axis < shape.rank(); ++axis) fits = given[axis] == shape[axis] || (shape[axis] == -1 && given[axis] >= 1);
    if (!fits) reject("example", "sizes of input '" + input_infos[i].name + "', " + to_string(shape), to_string(given));
  }
  open.example = std::move(inputs_given);
}

void NetworkDraft::add_condition(OpenSizes::Condition condition) {
  open.check_term(condition.term);
  if (condition.relation > SizeRelation::not_negative) reject("relation", "0 to 2", std::to_string(static_cast<int>(condition.relation)));
  check_utf8(condition.text, "text of a condition");
  open.conditions.push_back(std::move(condition));
}

void NetworkDraft::add_use(OpenSizes::Use use) {
  open.check_term(use.term);
  if (use.divisor != -1) open.check_term(use.divisor);
  const auto step = std::lower_bound(steps.begin(), steps.end(), use.value, [](const Step& s, int value) { return s.output < value; });
  if (step == steps.end() || step->output != use.value) reject_value(use.value, "value of a step");
  const auto found = step->description.attributes.find(use.attribute);
  const auto fits = [&](const auto* numbers) { return numbers != nullptr && use.position < numbers->size(); };
  const bool there =
      found != step->description.attributes.end() && (use.divisor == -1 ? fits(std::get_if<std::vector<std::int64_t>>(&found->second))
                                                                        : fits(std::get_if<std::vector<double>>(&found->second)));
  if (!there) step->description.reject("open attribute", "one of its numbers", "'" + use.attribute + "'");
  use.value = static_cast<int>(step - steps.begin());
  open.uses.push_back(std::move(use));
}

void NetworkDraft::add_output_axis(int output, int axis) {
  if (output < 0 || static_cast<std::size_t>(output) >= outputs.size())
    reject("output", "one of the " + std::to_string(outputs.size()) + " outputs", std::to_string(output));
  if (axis < 0 || axis >= Dims::kMaxRank) reject("axis", "0 to 7", std::to_string(axis));
  open.output_axes.push_back({output, axis});
}

/// The ops of all steps, some of them made anew for the open sizes of inputs of these shapes.
std::vector<std::shared_ptr<const Op>> ops_for(const NetworkDraft& d, const std::vector<Dims>& inputs) {
  std::vector<std::shared_ptr<const Op>> ops;
  if (d.open.empty()) return ops;
  const std::vector<std::int64_t> sizes = d.open.evaluate(inputs);
  const auto at = [&](int term) { return sizes[static_cast<std::size_t>(term)]; };
  std::map<int, Description> changed;
  for (const OpenSizes::Use& use : d.open.uses) {
    const Step& step = d.steps[static_cast<std::size_t>(use.value)];
    Description& description = changed.try_emplace(use.value, step.description).first->second;
    Attribute& attribute = description.attributes.at(use.attribute);
    if (use.divisor == -1) {
      std::get<std::vector<std::int64_t>>(attribute)[use.position] = at(use.term);
    } else {
      std::get<std::vector<double>>(attribute)[use.position] = static_cast<double>(at(use.term)) / static_cast<double>(at(use.divisor));
    }
  }
  for (const Step& step : d.steps) ops.push_back(step.op);
  for (auto& [number, description] : changed) {
    const Step& step = d.steps[static_cast<std::size_t>(number)];
    if (description.attributes == step.description.attributes) continue;
    for (const int v : step.inputs) description.inputs.push_back(d.values[static_cast<std::size_t>(v)].type);
    for (NamedWeights& w : step.op->named_weights()) description.weights.emplace(std::move(w.name), std::move(w.weights));
    ops[static_cast<std::size_t>(number)] = make_op(description);
  }
  return ops;
}

}  // namespace dwsep::runtime
