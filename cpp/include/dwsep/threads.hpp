// Control of the library's one thread pool.
#pragma once

#pragma GCC visibility push(default)
namespace dwsep {

/// CPUs this process may use: the affinity mask, cut by the cgroup quota.
int available_cpus();
/// Threads of a call that does not say; 0 returns to the default (DWSEP_NUM_THREADS, else available_cpus() and at most OMP_NUM_THREADS).
/// More than 256 count as 256; a negative number throws std::invalid_argument.
void set_num_threads(int threads);
/// Throws std::invalid_argument where DWSEP_NUM_THREADS is needed and no whole number of at least 1.
int num_threads();

}  // namespace dwsep
#pragma GCC visibility pop
