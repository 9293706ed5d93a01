// The sizes of the caches, as the system reports them.
#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <string>

#include "dwsep/cpu.hpp"

#if defined(__linux__)
#include <unistd.h>
#endif

namespace dwsep {
namespace {

#if defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
/// Sizes of the data caches of all levels as the kernel reports them; 0 if it does not. Each file takes 10 us to read.
std::array<std::int64_t, 3> sysfs_caches() {
  std::array<std::int64_t, 3> sizes{};
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::size_t level = 0;
    std::string type;
    std::int64_t size = 0;
    char unit = ' ';
    if (!(std::ifstream(folder + "level") >> level)) break;
    std::ifstream(folder + "type") >> type;
    if (level < 1 || level > sizes.size() || sizes[level - 1] > 0 || type == "Instruction") continue;
    std::ifstream(folder + "size") >> size >> unit;
    sizes[level - 1] = size << (unit == 'K' ? 10 : unit == 'M' ? 20 : 0);
  }
  return sizes;
}

/// sysconf comes second: in a virtual machine it reported an L3 ten times as large as the one there was.
std::int64_t system_cache(std::int64_t size, int name, std::int64_t guess) {
  if (size > 0) return size;
  const long reported = ::sysconf(name);
  return reported > 0 ? reported : guess;
}
#endif

CacheSizes find() noexcept {
  CacheSizes sizes{32 << 10, 512 << 10, 8 << 20};
#if defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
  try {
    const std::array<std::int64_t, 3> levels = sysfs_caches();
    sizes.l1d = system_cache(levels[0], _SC_LEVEL1_DCACHE_SIZE, sizes.l1d);
    sizes.l2 = system_cache(levels[1], _SC_LEVEL2_CACHE_SIZE, sizes.l2);
    sizes.l3 = system_cache(levels[2], _SC_LEVEL3_CACHE_SIZE, sizes.l3);
  } catch (const std::exception&) {  // out of memory
  }
#endif
  return sizes;
}

// A fork waits until they are known, as in dispatch.cc.
[[maybe_unused]] const bool known_before_fork = pthread_atfork([] { cache_sizes(); }, nullptr, nullptr) == 0;

}  // namespace

CacheSizes cache_sizes() noexcept {
  static const CacheSizes sizes = find();
  return sizes;
}

}  // namespace dwsep
