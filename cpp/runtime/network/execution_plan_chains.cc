// Finds the works of a plan that run as chains.
#include <algorithm>

#include "dwsep/cpu.hpp"
#include "runtime/network/chain.hpp"
#include "runtime/network/execution_plan.hpp"

namespace dwsep::runtime {
namespace {

/// Fewer matrices in a chain of products would leave threads without one.
constexpr std::int64_t kFewestMatrices = 4;

std::int64_t matrices_of(const Dims& shape) {
  std::int64_t n = 1;
  for (int i = 0; i + 2 < shape.rank(); ++i) n *= shape[i];
  return n;
}

}  // namespace

/// Whether a work can be in a chain. The ops have kernels for floats, and the parts of other types would be of another size.
bool ExecutionPlan::may_be_in_chain(const Work& work, bool by_rows) const {
  if (!(work.op->elementwise() || (by_rows && work.op->by_rows(work.target.shape.rank()))) || work.target.dtype != DType::float32 ||
      work.inputs.size() > kChainInputs)
    return false;
  return std::all_of(work.inputs.begin(), work.inputs.end(), [&](int v) { return storage_[at(v)].dtype == DType::float32; });
}

/// Whether work `w` can follow the works [first, w) in a chain: what they write it reads, if at all, at the places that it writes itself.
bool ExecutionPlan::continues_chain(std::size_t first, std::size_t w, bool by_rows) const {
  const Work& work = works_[w];
  if (!may_be_in_chain(work, by_rows) || work.target.shape != works_[first].target.shape) return false;
  for (const int v : work.inputs) {
    const Storage& x = storage_[at(v)];
    for (std::size_t i = first; i < w; ++i) {
      const Storage& y = works_[i].target;
      if (x.root == y.root && (x.offset != y.offset || x.shape != y.shape || x.strides != y.strides)) return false;
    }
  }
  return true;
}

/// Whether nothing but the works [first, last) sees what work `w`, one of them, leaves.
bool ExecutionPlan::stays_in_chain(std::size_t first, std::size_t last, std::size_t w) const {
  const int root = works_[w].target.root;
  if (places_[at(root)].kind != Place::Kind::arena) return false;
  for (std::size_t i = 0; i < works_.size(); ++i) {
    const bool inside = first <= i && i < last;
    if (i != w && works_[i].target.root == root) return false;
    for (const int v : works_[i].inputs) {
      if (storage_[at(v)].root == root && !inside) return false;
    }
  }
  return true;
}

/// The end of a chain of two products from work `first`, or `first`. Scores of some rows are kept in a cache from one product to the other,
/// where those of all matrices would not be. Each matrix has a second operand of its own, as threads pack those of their matrices.
std::size_t ExecutionPlan::end_of_products(std::size_t first) const {
  const auto is_product = [&](std::size_t w) {
    const Work& work = works_[w];
    if (work.op->product() == nullptr || shapes_[at(work.inputs[0])].rank() < 2) return false;
    const std::int64_t matrices = matrices_of(work.target.shape);
    return matrices >= kFewestMatrices && matrices_of(shapes_[at(work.inputs[1])]) == matrices;
  };
  const Storage& scores = works_[first].target;
  if (!is_product(first) || bytes_of<float>(scores.shape.count()) <= cache_sizes().l2) return first;
  std::size_t last = first + 1;
  while (last < works_.size() && last - first < std::size_t{kLongestChain} - 1 && continues_chain(first, last, true)) ++last;
  if (last == works_.size() || !is_product(last)) return first;
  const Storage &a = storage_[at(works_[last].inputs[0])], &b = storage_[at(works_[last].inputs[1])], &before = works_[last - 1].target;
  if (a.root != before.root || a.offset != before.offset || a.shape != before.shape || a.strides != before.strides) return first;
  Dims rows = works_[last].target.shape;
  if (rows.rank() != scores.shape.rank()) return first;
  rows[rows.rank() - 1] = scores.shape.back();
  if (rows != scores.shape) return first;
  for (std::size_t w = first; w < last; ++w) {
    if (works_[w].target.root == b.root || !stays_in_chain(first, last + 1, w)) return first;
  }
  return last + 1;
}

void ExecutionPlan::find_chains() {
  for (std::size_t first = 0; first < works_.size();) {
    std::size_t last = std::max(first + 1, end_of_products(first));
    if (last == first + 1 && may_be_in_chain(works_[first])) {
      while (last < works_.size() && last - first < std::size_t{kLongestChain} && continues_chain(first, last)) ++last;
    }
    for (std::size_t w = first; w < last; ++w) works_[w].chain = w == first ? static_cast<int>(last - first) : 0;
    if (last - first > 1) place_in_slots(first, last);
    first = last;
  }
}

/// What stays in a chain lies in scratch of the size of a part, in a slot that nothing uses any more.
void ExecutionPlan::place_in_slots(std::size_t first, std::size_t last) {
  std::vector<std::size_t> used_until;
  for (std::size_t w = first; w < last; ++w) {
    const int root = works_[w].target.root;
    if (!stays_in_chain(first, last, w)) continue;
    std::size_t end = w;
    for (std::size_t i = w + 1; i < last; ++i) {
      for (const int v : works_[i].inputs) end = storage_[at(v)].root == root ? i : end;
    }
    const auto free = std::find_if(used_until.begin(), used_until.end(), [&](std::size_t until) { return until < w; });
    works_[w].slot = static_cast<int>(free - used_until.begin());
    if (free == used_until.end()) {
      used_until.push_back(end);
    } else {
      *free = end;
    }
    for (std::size_t i = w + 1; i < last; ++i) {
      for (std::size_t k = 0; k < works_[i].inputs.size(); ++k) {
        if (storage_[at(works_[i].inputs[k])].root == root) works_[i].slots[k] = works_[w].slot;
      }
    }
  }
  works_[first].slot_count = static_cast<int>(used_until.size());
}

void ExecutionPlan::run_chain_at(std::size_t first, const Team& team, double* seconds) const {
  const Work& head = works_[first];
  const int threads = std::min(team.size(), chain_threads(head));
  if (team.rank() >= threads) return;
  ChainStep steps[kLongestChain];
  for (int i = 0; i < head.chain; ++i) {
    const Work& w = works_[first + at(i)];
    double* const took = seconds != nullptr && w.step >= 0 ? seconds + w.step : nullptr;
    steps[i] = {w.op, w.arrays.data(), static_cast<int>(w.arrays.size()), &w.result, w.slots, w.slot, nullptr, took};
  }
  Scratch scratch(arena_.get() + head.scratch_offset);
  const std::array<PerThread<float>, 3> own = chain_scratch(head, scratch);
  if (head.op->product() != nullptr) {
    steps[0].packed = own[1][team.rank()];
    steps[head.chain - 1].packed = own[2][team.rank()];
  }
  run_chain(team.rank(), threads, steps, head.chain, own[0][team.rank()], slot_floats(head));
}

std::int64_t ExecutionPlan::slot_floats(const Work& head) {
  const Dims& shape = head.target.shape;
  return head.op->product() == nullptr ? kChainPart : product_rows(shape) * shape.back();
}

/// As many as have a matrix, of products: those packed by all threads are no more than there are.
int ExecutionPlan::chain_threads(const Work& head) const {
  return head.op->product() == nullptr ? threads_ : static_cast<int>(std::min<std::int64_t>(threads_, matrices_of(head.target.shape)));
}

/// Slots, and what the first product packs and the last one.
std::array<PerThread<float>, 3> ExecutionPlan::chain_scratch(const Work& head, Scratch& scratch) const {
  const int threads = chain_threads(head);
  const auto packed = [&](const Work& w) {
    const MatrixProduct* const product = w.op->product();
    return scratch.take_each<float>(threads, product == nullptr ? 0 : product->packed_floats(shapes_[at(w.inputs[1])]));
  };
  return {scratch.take_each<float>(threads, head.slot_count * slot_floats(head)), packed(head), packed(*(&head + head.chain - 1))};
}

std::int64_t ExecutionPlan::chain_bytes(const Work& head) const {
  return measure([&](Scratch& scratch) { chain_scratch(head, scratch); });
}

}  // namespace dwsep::runtime
