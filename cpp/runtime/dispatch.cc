#include "runtime/dispatch.hpp"

#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

#include "isa/sets.hpp"

namespace dwsep::runtime {
namespace {

/// Best first. Builds for sanitizers leave some out, whose sets are empty: instrumented kernels take minutes to compile.
std::vector<const KernelSet*> runnable_sets() {
  std::vector<const KernelSet*> sets;
  const auto add = [&](const KernelSet& s) {
    if (s.lanes > 0) sets.push_back(&s);
  };
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool fma = __builtin_cpu_supports("fma") != 0 && __builtin_cpu_supports("avx2") != 0;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (fma && avx512) add(isa::k_avx512);
  if (fma) add(isa::k_avx2);
  add(isa::k_baseline);
#else
  add(isa::k_neon);
#endif
  return sets;
}

const KernelSet& choose() {
  const std::vector<const KernelSet*> sets = runnable_sets();
  const char* wanted = std::getenv("DWSEP_ISA");
  if (wanted == nullptr || *wanted == '\0') return *sets.front();
  std::string names;
  for (const KernelSet* s : sets) {
    if (s->isa == std::string(wanted)) return *s;
    names += (names.empty() ? "" : ", ") + std::string(s->isa);
  }
  throw std::invalid_argument("DWSEP_ISA: must name one of what this processor has (" + names + "), got \"" + wanted + "\"");
}

bool fits(std::int64_t taken, std::int64_t asked) { return taken == 0 || taken == asked; }

bool fits(const Problem& taken, const Problem& asked) {
  return fits(taken.kh, asked.kh) && fits(taken.kw, asked.kw) && fits(taken.stride_h, asked.stride_h) &&
         fits(taken.stride_w, asked.stride_w) && fits(taken.dilation_h, asked.dilation_h) && fits(taken.dilation_w, asked.dilation_w) &&
         fits(taken.multiplier, asked.multiplier) && fits(taken.panel_vectors, asked.panel_vectors);
}

const KernelEntry& first_fit(const KernelSet& set, Family family, const Problem& problem) {
  for (int u = 0; u < set.unit_count; ++u) {
    const KernelList& list = *set.units[u];
    for (const KernelEntry* e = list.entries; e != list.entries + list.count; ++e) {
      if (e->family == family && fits(e->takes, problem)) return *e;
    }
  }
  throw std::logic_error(std::string("no kernel of ") + set.isa + " fits");
}

KernelTable resolve(const KernelSet& set) {
  KernelTable t{};
  t.set = &set;
  t.isa = set.isa;
  t.lanes = set.lanes;
  t.half_panels = set.half_panels;
  const auto find = [&](auto& kernel, Family family) {
    kernel = std::decay_t<decltype(kernel)>(first_fit(set, family, {0, 0, 0, 0, 0, 0, 0, 1}));
  };
  find(t.gemm, Family::pointwise);
  find(t.standard, Family::standard);
  find(t.store_far, Family::store_far);
  find(t.fma_chain, Family::fma_chain);
  find(t.read_stream, Family::read_stream);
  find(t.copy_stream, Family::copy_stream);
  find(t.tensor.map, Family::map);
  find(t.tensor.unary, Family::unary);
  find(t.tensor.binary, Family::binary);
  find(t.tensor.fold, Family::fold);
  find(t.tensor.fold_rows, Family::fold_rows);
  find(t.tensor.pool, Family::pool);
  find(t.tensor.softmax, Family::softmax);
  find(t.tensor.softmax_steps, Family::softmax_steps);
  find(t.tensor.layer_norm, Family::layer_norm);
  find(t.tensor.resize, Family::resize);
  find(t.tensor.blend, Family::blend);
  find(t.tensor.transpose, Family::transpose);
  return t;
}

// Not a local static: a child that is forked while another thread sets that up would wait for ever. A fork waits for this lock instead.
std::mutex choosing;
KernelTable table_in_use;
std::atomic<const KernelTable*> chosen{nullptr};
[[maybe_unused]] const bool survives_fork =
    pthread_atfork([] { choosing.lock(); }, [] { choosing.unlock(); }, [] { choosing.unlock(); }) == 0;

}  // namespace

const KernelTable& kernel_table() {
  const KernelTable* table = chosen.load(std::memory_order_acquire);
  if (table != nullptr) return *table;
  const std::lock_guard<std::mutex> lock(choosing);
  if (chosen.load(std::memory_order_relaxed) == nullptr) {
    table_in_use = resolve(choose());
    chosen.store(&table_in_use, std::memory_order_release);
  }
  return table_in_use;
}

const KernelEntry& kernel_for(Family family, const Problem& problem) { return first_fit(*kernel_table().set, family, problem); }

std::string gemm_name(int panel_vectors) { return kernel_for(Family::pointwise, {0, 0, 0, 0, 0, 0, 0, panel_vectors}).name; }

HalfPanel half_panel() {
#if defined(__x86_64__)
  // Zen 4 is the one processor with AVX-512 that runs 512-bit operations in two passes.
  __builtin_cpu_init();
  return __builtin_cpu_is("amdfam19h") != 0 ? HalfPanel::narrow : HalfPanel::paired;
#else
  return HalfPanel::none;
#endif
}

std::vector<std::string> runnable_isas() {
  std::vector<std::string> names;
  for (const KernelSet* s : runnable_sets()) names.emplace_back(s->isa);
  return names;
}

}  // namespace dwsep::runtime
