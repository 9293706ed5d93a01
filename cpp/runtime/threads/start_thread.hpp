// Starts worker threads without side effects on the process.
#pragma once

namespace dwsep::runtime {

/// Starts a detached thread named "dwsep" that runs main(argument); false when the system refuses.
bool start_thread(void* (*main)(void*), void* argument) noexcept;

}  // namespace dwsep::runtime
