// Starting a worker thread that leaves the rest of the process alone.
#pragma once

namespace dwsep::runtime {

/// Starts a detached thread named "dwsep" that runs main(argument); false when the system refuses.
bool start_thread(void* (*main)(void*), void* argument) noexcept;

}  // namespace dwsep::runtime
