#include "runtime/dispatch.hpp"

#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

#include "isa/tables.hpp"

namespace dwsep::runtime {
namespace {

/// Best first. Builds for sanitizers leave some out, whose tables are empty: instrumented kernels take minutes to compile.
std::vector<const KernelTable*> runnable_tables() {
  std::vector<const KernelTable*> tables;
  const auto add = [&](const KernelTable& t) {
    if (t.lanes > 0) tables.push_back(&t);
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
  return tables;
}

const KernelTable& choose() {
  const std::vector<const KernelTable*> tables = runnable_tables();
  const char* wanted = std::getenv("DWSEP_ISA");
  if (wanted == nullptr || *wanted == '\0') return *tables.front();
  std::string names;
  for (const KernelTable* t : tables) {
    if (t->isa == std::string(wanted)) return *t;
    names += (names.empty() ? "" : ", ") + std::string(t->isa);
  }
  throw std::invalid_argument("DWSEP_ISA: must name one of what this processor has (" + names + "), got \"" + wanted + "\"");
}

// Not a local static: a child that is forked while another thread sets that up would wait for ever. A fork waits for this lock instead.
std::mutex choosing;
std::atomic<const KernelTable*> chosen{nullptr};
[[maybe_unused]] const bool survives_fork =
    pthread_atfork([] { choosing.lock(); }, [] { choosing.unlock(); }, [] { choosing.unlock(); }) == 0;

}  // namespace

const KernelTable& kernel_table() {
  const KernelTable* table = chosen.load(std::memory_order_acquire);
  if (table != nullptr) return *table;
  const std::lock_guard<std::mutex> lock(choosing);
  table = &choose();
  chosen.store(table, std::memory_order_release);
  return *table;
}

std::string gemm_name(int panel_vectors) {
  const KernelTable& t = kernel_table();
  return "gemm_" + std::to_string(t.tile_rows[panel_vectors - 1]) + "x" + std::to_string(panel_vectors * t.lanes);
}

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
  for (const KernelTable* t : runnable_tables()) names.emplace_back(t->isa);
  return names;
}

}  // namespace dwsep::runtime
