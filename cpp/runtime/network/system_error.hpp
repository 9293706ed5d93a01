// Failed system calls on a file.
#pragma once

#include <string>

namespace dwsep::runtime {

/// Throws std::system_error for errno, "<what> '<path>'", or std::bad_alloc where memory lacked.
[[noreturn]] void throw_system_error(const char* what, const std::string& path);

}  // namespace dwsep::runtime
