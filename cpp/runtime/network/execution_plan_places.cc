// Where the values of a network lie: in the caller's arrays, in parts or views of other values, or in the arena.
#include <algorithm>

#include "runtime/layers/cache_blocks.hpp"
#include "runtime/network/execution_plan.hpp"

namespace dwsep::runtime {
namespace {

/// The pixel stride of an image that is not a part of another avoids multiples of 2 KB: rows of a filter would share cache sets.
Dims roomy_strides(const Dims& shape, DType type) {
  if (type != DType::float32 || shape.rank() != 4 || shape[1] * shape[2] < 2 || shape[3] % 512 != 0) {
    return dense_strides(shape);
  }
  const std::int64_t pixel = scratch_pixel<float>(shape[3]);
  return {shape[1] * shape[2] * pixel, shape[2] * pixel, pixel, 1};
}

}  // namespace

struct ExecutionPlan::Uses {
  int maker = -1;            ///< the step, if one makes it
  std::vector<int> readers;  ///< steps, each once
  bool leaves = false;       ///< as an output of the network
};

void ExecutionPlan::place_values(const NetworkDraft& network) {
  std::vector<Uses> uses(network.values.size());
  for (std::size_t s = 0; s < network.steps.size(); ++s) {
    const int step = static_cast<int>(s);
    uses[at(network.steps[s].output)].maker = step;
    for (const int v : network.steps[s].inputs) {
      std::vector<int>& readers = uses[at(v)].readers;
      if (readers.empty() || readers.back() != step) readers.push_back(step);
    }
  }
  for (const int v : network.outputs) uses[at(v)].leaves = true;
  place_in_concatenations(network, uses);
  place_in_planes(network, uses);
  place_views(network, uses);
  place_outputs(network);
}

/// An input of a concatenation is computed in place there, if a step that does work computes it.
void ExecutionPlan::place_in_concatenations(const NetworkDraft& network, const std::vector<Uses>& uses) {
  // The last concatenation first: a nested one then has its place already.
  for (std::size_t number = network.steps.size(); number-- > 0;) {
    const Step* const step = &network.steps[number];
    const int axis = op(number).concatenated_axis();
    if (axis < 0) continue;
    const Storage whole = storage_[at(step->output)];
    std::int64_t position = 0;
    for (const int v : step->inputs) {
      Storage& s = storage_[at(v)];
      const std::int64_t offset = whole.offset + position * whole.strides[axis];
      position += shapes_[at(v)][axis];
      if (uses[at(v)].maker < 0 || s.root != v) continue;
      const std::size_t maker = at(uses[at(v)].maker);
      const Step& made_by = network.steps[maker];
      Dims strides;
      std::int64_t ignored = 0;
      const Array first{nullptr, shapes_[at(made_by.inputs.empty() ? v : made_by.inputs.front())],
                        dense_strides(shapes_[at(made_by.inputs.empty() ? v : made_by.inputs.front())])};
      if (op(maker).view(first, shapes_[at(v)], &strides, &ignored)) continue;
      s.root = whole.root;
      s.offset = offset;
      s.strides = whole.strides;
    }
  }
}

/// What a step makes as planes lies in the output of the transposition that alone reads it.
void ExecutionPlan::place_in_planes(const NetworkDraft& network, const std::vector<Uses>& uses) {
  for (std::size_t turn = 0; turn < network.steps.size(); ++turn) {
    if (op(turn).permutation() != Dims{0, 3, 1, 2}) continue;
    const int v = network.steps[turn].inputs[0], turned = network.steps[turn].output;
    const Uses& use = uses[at(v)];
    if (use.maker < 0 || use.readers.size() > 1 || use.leaves) continue;
    const std::vector<int>& inputs = network.steps[at(use.maker)].inputs;
    if (storage_[at(v)].root != v || storage_[at(turned)].root != turned) continue;
    if (inputs.size() != 1 || !op(at(use.maker)).makes_planes(shapes_[at(inputs[0])])) continue;
    const Dims planes = dense_strides(shapes_[at(turned)]);
    storage_[at(v)].root = turned;
    storage_[at(v)].strides = {planes[0], planes[2], planes[3], planes[1]};
  }
}

/// Whether all that read what a transposition makes take it as a view of planes, with these strides.
bool ExecutionPlan::seen_in_planes(const NetworkDraft& network, const std::vector<Uses>& uses, std::size_t turn,
                                   const Dims& strides) const {
  const int v = network.steps[turn].output;
  if (op(turn).permutation().rank() != 4 || strides[2] != 1 || uses[at(v)].leaves) return false;
  const std::vector<int>& readers = uses[at(v)].readers;
  return std::all_of(readers.begin(), readers.end(), [&](int reader) {
    return network.steps[at(reader)].inputs.size() == 1 && op(at(reader)).takes_planes(shapes_[at(v)]);
  });
}

/// Views take the place of what they refer to; other values become roots, if they have no place yet.
void ExecutionPlan::place_views(const NetworkDraft& network, const std::vector<Uses>& uses) {
  // Roots with views or parts stay dense, so that they can be reshaped.
  std::vector<bool> dense(network.values.size(), false);
  for (std::size_t i = 0; i < network.steps.size(); ++i) {
    const Step& step = network.steps[i];
    Dims strides;
    std::int64_t offset = 0;
    const bool views =
        !step.inputs.empty() && op(i).view({nullptr, shapes_[at(step.inputs[0])], dense_strides(shapes_[at(step.inputs[0])])},
                                           shapes_[at(step.output)], &strides, &offset);
    if (views) dense[at(storage_[at(step.inputs[0])].root)] = true;
    if (op(i).concatenated_axis() >= 0) dense[at(storage_[at(step.output)].root)] = true;
  }
  for (const int v : network.outputs) dense[at(v)] = true;
  for (std::size_t i = 0; i < network.steps.size(); ++i) {
    const Step& step = network.steps[i];
    const int v = step.output;
    Storage& mine = storage_[at(v)];
    if (mine.root != v) continue;
    if (!step.inputs.empty()) {
      const Storage& x = storage_[at(step.inputs[0])];
      Dims strides;
      std::int64_t offset = 0;
      if (op(i).view({nullptr, x.shape, x.strides}, shapes_[at(v)], &strides, &offset) || seen_in_planes(network, uses, i, strides)) {
        mine.root = x.root;
        mine.offset = x.offset + offset;
        mine.strides = strides;
        free_[i] = true;
        continue;
      }
    }
    if (!dense[at(v)]) mine.strides = roomy_strides(mine.shape, mine.dtype);
  }
}

/// An output of the network is computed in the caller's array if it is a root, or a view of a whole root.
void ExecutionPlan::place_outputs(const NetworkDraft& network) {
  output_done_.resize(network.outputs.size(), false);
  for (std::size_t i = 0; i < network.outputs.size(); ++i) {
    const Storage& s = storage_[at(network.outputs[i])];
    const Storage& root = storage_[at(s.root)];
    Place& place = places_[at(s.root)];
    const Array seen{nullptr, s.shape, s.strides}, whole{nullptr, root.shape, root.strides};
    if (place.kind != Place::Kind::arena || s.offset != 0 || s.shape.count() != root.shape.count() || !seen.dense() || !whole.dense())
      continue;
    place = {Place::Kind::output, static_cast<int>(i), 0};
    output_done_[i] = true;
  }
}

}  // namespace dwsep::runtime
