// The default number of threads.
#pragma once

namespace dwsep::runtime {

/// The largest team; larger requests are lowered to it.
inline constexpr int kMaxThreads = 256;

/// Sets the default team size of the process; 0 returns to what the environment and the available CPUs say.
/// Throws std::invalid_argument when n < 0.
void set_num_threads(int n);

/// The default team size: set_num_threads, else DWSEP_NUM_THREADS (read once), else available_cpus(), or less where OMP_NUM_THREADS says
/// so. Throws std::invalid_argument where the variable is needed and is neither empty nor a whole number of at least 1, or where
/// DWSEP_SPIN_US is not a whole number.
int num_threads();

/// `requested` when positive, num_threads() when 0, never above kMaxThreads. Throws std::invalid_argument when negative, and as
/// num_threads.
int resolve_threads(int requested);

}  // namespace dwsep::runtime
