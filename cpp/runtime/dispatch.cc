#include "runtime/dispatch.hpp"

#include <pthread.h>

#include <cstdlib>
#include <stdexcept>

#include "isa/tables.hpp"

namespace dwsep::runtime {
namespace {

/// Best first.
std::vector<const KernelTable*> runnable_tables() {
  std::vector<const KernelTable*> tables;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool fma = __builtin_cpu_supports("fma") != 0 && __builtin_cpu_supports("avx2") != 0;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (fma && avx512) tables.push_back(&isa::k_avx512);
  if (fma) tables.push_back(&isa::k_avx2);
  tables.push_back(&isa::k_baseline);
#else
  tables.push_back(&isa::k_neon);
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

}  // namespace

const KernelTable& kernel_table() {
  static const KernelTable& table = choose();
  return table;
}

HalfPanel half_panel() {
#if defined(__x86_64__)
  // Zen 4 is the one processor with AVX-512 that runs 512-bit operations in two passes.
  static const bool two_passes = (__builtin_cpu_init(), __builtin_cpu_is("amdfam19h") != 0);
  return two_passes ? HalfPanel::narrow : HalfPanel::paired;
#else
  return HalfPanel::none;
#endif
}

namespace {

// A fork waits for what another thread is just finding out: in the child it would stay half-known, and whoever asks would wait for ever.
[[maybe_unused]] const bool known_before_fork = pthread_atfork(
                                                    [] {
                                                      try {
                                                        half_panel();
                                                        kernel_table();
                                                      } catch (const std::exception&) {  // told to those who ask
                                                      }
                                                    },
                                                    nullptr, nullptr) == 0;

}  // namespace

std::vector<std::string> runnable_isas() {
  std::vector<std::string> names;
  for (const KernelTable* t : runnable_tables()) names.emplace_back(t->isa);
  return names;
}

}  // namespace dwsep::runtime
