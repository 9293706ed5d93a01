// Runs the units of simd/: every operation on vectors of every instruction set, against scalar loops. DWSEP_ISA picks one of them; without
// it all that this processor supports run, and the others are reported.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/simd/report.hpp"

#define DWSEP_SIMD_UNIT(isa)    \
  namespace dwsep::simd_##isa { \
    void check_all();           \
  }
DWSEP_SIMD_UNITS
#undef DWSEP_SIMD_UNIT

namespace dwsep::simd_tests {

char* guarded_end = nullptr;
int failures = 0;

void failed(const char* operation, const char* type, std::size_t at) {
  if (failures++ < 20) std::fprintf(stderr, "%s of %s is wrong at %zd\n", operation, type, static_cast<ssize_t>(at));
}

}  // namespace dwsep::simd_tests

namespace {

bool runs_here([[maybe_unused]] const char* isa) {
#ifdef __x86_64__
  if (std::strcmp(isa, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (std::strcmp(isa, "avx512") == 0) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
  }
#endif
  return true;
}

}  // namespace

int main() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(static_cast<char*>(pages) + page, page, PROT_NONE) != 0) return 1;
  dwsep::simd_tests::guarded_end = static_cast<char*>(pages) + page;

  struct Unit {
    const char* isa;
    void (*check_all)();
  };
#define DWSEP_SIMD_UNIT(isa) {#isa, dwsep::simd_##isa::check_all},
  const Unit units[] = {DWSEP_SIMD_UNITS};
  const char* const wanted = std::getenv("DWSEP_ISA");
  int ran = 0;
  for (const Unit& unit : units) {
    if (wanted != nullptr && std::strcmp(wanted, unit.isa) != 0) continue;
    if (!runs_here(unit.isa)) {
      std::printf("%s: NOT run, this processor does not have it\n", unit.isa);
      continue;
    }
    const int before = dwsep::simd_tests::failures;
    unit.check_all();
    ++ran;
    std::printf("%s: %d failures\n", unit.isa, dwsep::simd_tests::failures - before);
  }
  if (ran == 0) return 77;
  return dwsep::simd_tests::failures == 0 ? 0 : 1;
}
