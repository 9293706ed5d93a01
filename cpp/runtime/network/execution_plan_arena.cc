// Places the values of a plan, and its scratch, in one piece of memory.
#include <algorithm>

#include "runtime/network/arena.hpp"
#include "runtime/network/execution_plan.hpp"

namespace dwsep::runtime {
namespace {

/// From the first element of a root to the end of its last.
std::int64_t span_bytes(const Storage& s) {
  std::int64_t elements = 1;
  for (int i = 0; i < s.shape.rank(); ++i) {
    if (s.shape[i] == 0) return 0;
    elements += (s.shape[i] - 1) * s.strides[i];
  }
  return elements * size_of(s.dtype);
}

}  // namespace

void ExecutionPlan::plan_arena() {
  std::vector<Lifetime> lifetimes;
  std::vector<int> of_root(storage_.size(), -1);
  const auto used = [&](int root, int from, int to) {
    if (places_[at(root)].kind != Place::Kind::arena) return;
    if (of_root[at(root)] < 0) {
      of_root[at(root)] = static_cast<int>(lifetimes.size());
      lifetimes.push_back({span_bytes(storage_[at(root)]), from, to});
    }
    lifetimes[at(of_root[at(root)])].end = to;
  };
  // Parts of a chain are at different steps at the same time, so its values live as long as it runs.
  int chain_begin = 0, chain_end = 0;
  for (std::size_t w = 0; w < works_.size(); ++w) {
    Work& work = works_[w];
    if (work.chain > 0) {
      chain_begin = static_cast<int>(w);
      chain_end = chain_begin + work.chain - 1;
    }
    if (work.slot < 0) used(work.target.root, chain_begin, chain_end);
    std::vector<Dims> operands;
    for (std::size_t i = 0; i < work.inputs.size(); ++i) {
      const int v = work.inputs[i];
      if (i >= work.slots.size() || work.slots[i] < 0) used(storage_[at(v)].root, chain_begin, chain_end);
      operands.push_back(shapes_[at(v)]);
    }
    work.arrays.resize(work.inputs.size());
    work.scratch_offset = work.chain > 1 ? chain_bytes(work) : work.op->scratch_bytes(operands, work.target.shape, threads_);
  }
  // Scratch is a value that lives for one step.
  const std::size_t roots = lifetimes.size();
  for (std::size_t w = 0; w < works_.size(); ++w) {
    const int end = static_cast<int>(w) + std::max(works_[w].chain, 1) - 1;
    lifetimes.push_back({works_[w].scratch_offset, static_cast<int>(w), end});
  }
  arena_bytes_ = place_in_arena(lifetimes);
  for (std::size_t w = 0; w < works_.size(); ++w) works_[w].scratch_offset = lifetimes[roots + w].offset;
  for (std::size_t r = 0; r < of_root.size(); ++r) {
    if (of_root[r] >= 0) places_[r].offset = lifetimes[at(of_root[r])].offset;
  }
  arena_ = arena_memory(arena_bytes_);
}

}  // namespace dwsep::runtime
