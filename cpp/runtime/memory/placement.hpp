// Which CPU a thread runs on, and getting it off one.
#pragma once

namespace dwsep::runtime {

/// The CPU of the calling thread, or -1 where the system does not tell.
int current_cpu() noexcept;

/// Moves the calling thread to another CPU of its affinity mask, if there is one, and leaves the mask as it was.
void leave_cpu(int cpu) noexcept;

}  // namespace dwsep::runtime
