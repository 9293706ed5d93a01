#include "runtime/features.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace dwsep::runtime {
namespace {

struct Named {
  const char* name;
  Features bit, stands_on;
};

#if defined(__aarch64__)
constexpr Features kBf16StandsOn = feature::neon;
#else
constexpr Features kBf16StandsOn = feature::avx512f;
#endif

/// Each after the features that it requires.
constexpr Named kNamed[] = {
    {"sse2", feature::sse2, 0},
    {"avx2", feature::avx2, feature::sse2},
    {"fma", feature::fma, feature::sse2},
    {"avx512f", feature::avx512f, feature::avx2 | feature::fma},
    {"avx512bw", feature::avx512bw, feature::avx512f},
    {"avx512dq", feature::avx512dq, feature::avx512f},
    {"avx512vl", feature::avx512vl, feature::avx512f},
    {"vbmi", feature::vbmi, feature::avx512bw},
    {"vnni", feature::vnni, feature::avx512f},
    {"avxvnni", feature::avxvnni, feature::avx2},
    {"amx", feature::amx, feature::vnni},
    {"neon", feature::neon, 0},
    {"dotprod", feature::dotprod, feature::neon},
    {"i8mm", feature::i8mm, feature::neon},
    {"bf16", feature::bf16, kBf16StandsOn},
};

}  // namespace

#if defined(__x86_64__)

namespace {

/// Tiles are state that a process has to ask the system for, once; threads and children inherit the leave.
bool may_use_tiles() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

// The compiler's own list of names has no AVX-VNNI in GCC 10 and clang 14, hence cpuid.
Features detected_features() {
  __builtin_cpu_init();
  Features f = feature::sse2;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  // No processor has AVX2 without conversions of float16, but an emulator may.
  const bool halves = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & (1U << 29)) != 0;
  if (__builtin_cpu_supports("avx2") != 0 && halves) f |= feature::avx2;
  if (__builtin_cpu_supports("fma") != 0) f |= feature::fma;
  if (__builtin_cpu_supports("avx512f") != 0) f |= feature::avx512f;
  if (__builtin_cpu_supports("avx512bw") != 0) f |= feature::avx512bw;
  if (__builtin_cpu_supports("avx512dq") != 0) f |= feature::avx512dq;
  if (__builtin_cpu_supports("avx512vl") != 0) f |= feature::avx512vl;
  if (__builtin_cpu_supports("avx512vbmi") != 0) f |= feature::vbmi;
  if (__builtin_cpu_supports("avx512vnni") != 0) f |= feature::vnni;
  if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) {
    if ((eax & (1U << 4)) != 0) f |= feature::avxvnni;
    if ((eax & (1U << 5)) != 0) f |= feature::bf16;
  }
  constexpr unsigned kTilesAndBytes = (1U << 24) | (1U << 25);
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kTilesAndBytes) == kTilesAndBytes && may_use_tiles()) {
    f |= feature::amx;
  }
  return supported(f);
}

#elif defined(__aarch64__)

Features detected_features() {
  Features f = feature::neon;
#if defined(__linux__)
  // asm/hwcap.h of older systems names not all of them.
  constexpr unsigned long kDotprod = 1UL << 20, kI8mm = 1UL << 13, kBf16 = 1UL << 14;
  if ((getauxval(AT_HWCAP) & kDotprod) != 0) f |= feature::dotprod;
  if ((getauxval(AT_HWCAP2) & kI8mm) != 0) f |= feature::i8mm;
  if ((getauxval(AT_HWCAP2) & kBf16) != 0) f |= feature::bf16;
#endif
  return f;
}

#else

Features detected_features() { return 0; }

#endif

Features supported(Features features) {
  for (const Named& n : kNamed) {
    if (!has_all(features, n.stands_on)) features &= ~n.bit;
  }
  return features;
}

Features feature_named(const std::string& name) {
  for (const Named& n : kNamed) {
    if (n.name == name) return n.bit;
  }
  return 0;
}

std::vector<std::string> names_of(Features features) {
  std::vector<std::string> names;
  for (const Named& n : kNamed) {
    if ((features & n.bit) != 0) names.emplace_back(n.name);
  }
  return names;
}

std::vector<std::string> all_feature_names() { return names_of(~Features{0}); }

}  // namespace dwsep::runtime
