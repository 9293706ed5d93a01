// How many CPUs this process may use: the affinity mask and the cgroup quota together.
#pragma once

namespace dwsep::runtime {

/// CPUs in the calling thread's affinity mask, or the cgroup's CPU quota rounded up if that is less; at least 1.
/// The answer is kept for about a second, so it may be asked on every operator call.
int available_cpus();

}  // namespace dwsep::runtime
