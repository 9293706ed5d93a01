#include "runtime/threads/cpu_mask.hpp"

#include <array>
#include <cstring>

namespace dwsep::runtime {

#if defined(__linux__)

CpuMask own_mask() noexcept {
  CpuMask mask;
  if (sched_getaffinity(0, sizeof(mask.cpus), &mask.cpus) != 0) return {};
  std::array<unsigned char, sizeof(mask.cpus)> bytes;
  std::memcpy(bytes.data(), &mask.cpus, bytes.size());
  std::uint32_t hash = 2166136261U;  // Fowler, Noll, Vo
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 16777619U;
  mask.id = hash != 0 ? hash : 1;
  return mask;
}

void adopt(const CpuMask& mask) noexcept { sched_setaffinity(0, sizeof(mask.cpus), &mask.cpus); }

#else

CpuMask own_mask() noexcept { return {}; }

void adopt(const CpuMask&) noexcept {}

#endif

}  // namespace dwsep::runtime
