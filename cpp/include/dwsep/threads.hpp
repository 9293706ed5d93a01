// Control of the library's one thread pool.
#pragma once

#pragma GCC visibility push(default)
namespace dwsep {

/// CPUs that this process may use: the affinity mask, limited by the cgroup quota.
int available_cpus();
/// The default number of threads of a call; 0 resets it (DWSEP_NUM_THREADS, else available_cpus() and at most OMP_NUM_THREADS).
/// More than 256 count as 256; a negative number throws std::invalid_argument.
void set_num_threads(int threads);
/// Throws std::invalid_argument if DWSEP_NUM_THREADS is needed and is not an integer of at least 1.
int num_threads();

}  // namespace dwsep
#pragma GCC visibility pop
