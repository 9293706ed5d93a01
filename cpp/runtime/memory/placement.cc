#include "runtime/memory/placement.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace dwsep::runtime {

#if defined(__linux__)

int current_cpu() noexcept { return sched_getcpu(); }

// Machines with more than 1024 CPUs need a wider mask: there the calls fail and the thread stays where it is.
void leave_cpu(int cpu) noexcept {
  cpu_set_t mask;
  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(mask), &mask) != 0) return;
  cpu_set_t others = mask;
  CPU_CLR(static_cast<unsigned>(cpu), &others);
  if (CPU_COUNT(&others) == 0) return;
  if (sched_setaffinity(0, sizeof(others), &others) == 0) sched_setaffinity(0, sizeof(mask), &mask);
}

#else

int current_cpu() noexcept { return -1; }

void leave_cpu(int) noexcept {}

#endif

}  // namespace dwsep::runtime
