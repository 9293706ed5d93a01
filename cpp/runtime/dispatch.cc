#include "runtime/dispatch.hpp"

#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <utility>

#include "isa/sets.hpp"

namespace dwsep::runtime {
namespace {

/// Sanitizer builds leave some sets empty: instrumented kernels take minutes to compile.
std::vector<const KernelSet*> all_sets() { return {std::begin(isa::kSets), std::end(isa::kSets)}; }

ActiveKernels resolve(Selection selection) {
  ActiveKernels t{};
  t.isa = selection.base->isa;
  t.lanes = selection.base->lanes;
  t.half_panel = selection.base->half_panels ? HalfPanel::narrow : HalfPanel::none;
  const auto find = [&](auto& kernel, Family family, const OperandTypes& types = kFloat32) {
    kernel = std::decay_t<decltype(kernel)>(first_fit(selection, family, types, {1, 1, 1, 1, 1, 1, 1, 1}));
  };
  find(t.gemm, Family::pointwise);
  find(t.standard, Family::standard);
  find(t.grouped, Family::grouped);
  find(t.copy_nontemporal, Family::copy_nontemporal);
  find(t.fma_chain, Family::fma_chain);
  find(t.read_stream, Family::read_stream);
  find(t.copy_stream, Family::copy_stream);
  find(t.tensor.map, Family::map);
  find(t.tensor.unary, Family::unary);
  find(t.tensor.binary, Family::binary);
  find(t.tensor.reduce, Family::reduce);
  find(t.tensor.reduce_rows, Family::reduce_rows);
  find(t.tensor.pool, Family::pool);
  find(t.tensor.softmax, Family::softmax);
  find(t.tensor.softmax_steps, Family::softmax_steps);
  find(t.tensor.layer_norm, Family::layer_norm);
  find(t.tensor.resize, Family::resize);
  find(t.tensor.blend, Family::blend);
  find(t.tensor.transpose, Family::transpose);
  find(t.int8.binary, Family::binary, kInt8);
  find(t.int8.pool, Family::pool, kInt8);
  find(t.int8.resize, Family::resize, kInt8);
  find(t.int8.table, Family::map, kInt8);
  find(t.int8.quantize, Family::map, kFloatToInt8);
  find(t.int8.dequantize, Family::map, kInt8ToFloat);
  find(t.int8.interleave, Family::transpose, kInt8);
  t.selection = std::move(selection);
  return t;
}

// Not a local static: a child forked during its initialisation by another thread would deadlock. A fork waits for this lock instead.
std::mutex choosing;
ActiveKernels in_use{};
std::atomic<const ActiveKernels*> chosen{nullptr};
[[maybe_unused]] const bool choice_survives_fork =
    pthread_atfork([] { choosing.lock(); }, [] { choosing.unlock(); }, [] { choosing.unlock(); }) == 0;

}  // namespace

const ActiveKernels& active_kernels() {
  const ActiveKernels* kernels = chosen.load(std::memory_order_acquire);
  if (kernels != nullptr) return *kernels;
  const std::lock_guard<std::mutex> lock(choosing);
  if (chosen.load(std::memory_order_relaxed) == nullptr) {
    in_use = resolve(select(all_sets(), detected_features(), std::getenv("DWSEP_ISA")));
    chosen.store(&in_use, std::memory_order_release);
  }
  return in_use;
}

const KernelEntry& kernel_for(Family family, const Problem& problem, const OperandTypes& types) {
  return first_fit(active_kernels().selection, family, types, problem);
}

std::string gemm_name(int panel_vectors) { return kernel_for(Family::pointwise, {0, 0, 0, 0, 0, 0, 0, panel_vectors}).name; }

std::vector<std::string> runnable_isas() {
  std::vector<std::string> names;
  for (const KernelSet* set : runnable(all_sets(), detected_features())) names.emplace_back(set->isa);
  return names;
}

std::vector<DotChain> dot_chains() {
  std::vector<DotChain> found;
  for (const KernelSet* set : all_sets()) {
    if (set->units == nullptr) continue;  // not built
    for_each_entry({set, {set}, detected_features()}, [&](const KernelEntry& entry, const KernelSet&) {
      if (entry.family == Family::fma_chain && entry.types.x == DType::int8) found.push_back({set->isa, Kernel<FmaChainWork>(entry)});
    });
  }
  return found;
}

}  // namespace dwsep::runtime
