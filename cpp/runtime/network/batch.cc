#include "runtime/network/batch.hpp"

#include "runtime/layers/geometry.hpp"

namespace dwsep::runtime {
namespace {

/// Whether all axes from `first` on have the sizes that the network wants.
bool fits_from(int first, const Dims& wanted, const Dims& given) {
  if (wanted.rank() != given.rank()) return false;
  for (int axis = first; axis < wanted.rank(); ++axis) {
    if (wanted[axis] != -1 && wanted[axis] != given[axis]) return false;
  }
  return true;
}

}  // namespace

Batch divide(const NetworkDraft& network, std::vector<Dims>& inputs) {
  if (inputs.size() != network.inputs.size()) return {};
  const auto wanted = [&](std::size_t i) -> const Dims& { return network.values[static_cast<std::size_t>(network.inputs[i])].shape; };
  const auto named = [&](std::size_t i) { return "input '" + network.input_infos[i].name + "'"; };
  const auto one = [](const Dims& shape) { return shape.rank() > 0 && shape[0] == 1; };
  std::size_t more = 0;  // the first input with several images for one
  while (more < inputs.size() && (!one(wanted(more)) || inputs[more].rank() == 0 || inputs[more][0] == 1)) ++more;
  if (more == inputs.size()) return {};

  Batch batch;
  batch.images = inputs[more][0];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool divided = one(wanted(i));
    if (!fits_from(divided ? 1 : 0, wanted(i), inputs[i]) || (divided && inputs[i][0] != batch.images)) return {};
    check_size(inputs[i], named(i));
    batch.divided.push_back(divided);
  }
  for (const ValueInfo& output : network.output_infos) {
    if (!output.shape.empty() && output.shape[0] == 1) continue;
    Dims shape;
    for (const std::int64_t size : output.shape) shape.push_back(size);
    const std::string reason = "output '" + output.name + "' of shape " + to_string(shape) + " has no axis for several";
    reject(named(more), "shape " + to_string(wanted(more)) + ", one image, because " + reason, to_string(inputs[more]));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (batch.divided[i]) inputs[i][0] = 1;
  }
  return batch;
}

}  // namespace dwsep::runtime
