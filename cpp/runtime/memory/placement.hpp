// Which CPU a thread runs on, and moving it to another.
#pragma once

namespace dwsep::runtime {

/// The CPU of the calling thread, or -1 if unknown.
int current_cpu() noexcept;

/// Moves the calling thread to another CPU of its affinity mask, if there is one, and leaves the mask as it was.
void leave_cpu(int cpu) noexcept;

}  // namespace dwsep::runtime
