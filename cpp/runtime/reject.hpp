// The one form of errors about what a caller gave: "<what>: need <wanted>, got <got>".
#pragma once

#include <string>

namespace dwsep::runtime {

/// Throws std::invalid_argument.
[[noreturn]] void reject(const std::string& what, const std::string& wanted, const std::string& got);

}  // namespace dwsep::runtime
