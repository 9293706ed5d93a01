// How many CPUs this process may use: the minimum of affinity mask and cgroup quota. Both are cached for a second, so that it
// may be asked on every operator call; changes take effect within that time.
#pragma once

#include "runtime/threads/cpu_mask.hpp"

namespace dwsep::runtime {

/// CPUs in the calling thread's affinity mask, or the cgroup's CPU quota rounded up if that is less; at least 1.
int available_cpus() noexcept;

/// The calling thread's affinity mask.
const CpuMask& available_mask() noexcept;

}  // namespace dwsep::runtime
