// The sizes of the caches, as the system reports them.
#include <pthread.h>

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
/// Size of a level's data cache as the kernel reports it; 0 if it does not.
std::int64_t sysfs_cache(int level) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    int found = 0;
    std::string type;
    std::int64_t size = 0;
    char unit = ' ';
    std::ifstream(folder + "level") >> found;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "size") >> size >> unit;
    if (found == level && type != "Instruction") return size << (unit == 'K' ? 10 : unit == 'M' ? 20 : 0);
  }
  return 0;
}

/// sysconf comes second: in a virtual machine it reported an L3 ten times as large as the one there was.
std::int64_t system_cache(int level, int name, std::int64_t guess) {
  const std::int64_t size = sysfs_cache(level);
  if (size > 0) return size;
  const long reported = ::sysconf(name);
  return reported > 0 ? reported : guess;
}
#endif

CacheSizes find() noexcept {
  CacheSizes sizes{32 << 10, 512 << 10, 8 << 20};
#if defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
  try {
    sizes.l1d = system_cache(1, _SC_LEVEL1_DCACHE_SIZE, sizes.l1d);
    sizes.l2 = system_cache(2, _SC_LEVEL2_CACHE_SIZE, sizes.l2);
    sizes.l3 = system_cache(3, _SC_LEVEL3_CACHE_SIZE, sizes.l3);
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
