// The CPUs that a thread may use, so that the pool's workers stay on their caller's.
#pragma once

#include <cstdint>

#if defined(__linux__)
#include <sched.h>
#endif

namespace dwsep::runtime {

struct CpuMask {
  std::uint32_t id = 0;  ///< the same for equal masks; 0 where the mask is not known
#if defined(__linux__)
  cpu_set_t cpus{};
#endif
};

/// The calling thread's mask. On machines with more than 1024 CPUs it is not known.
CpuMask own_mask() noexcept;

/// Moves the calling thread to the CPUs of a known mask, if the system allows it.
void adopt(const CpuMask& mask) noexcept;

}  // namespace dwsep::runtime
