// Numbers from variables of the environment.
#pragma once

namespace dwsep::runtime {

/// What a variable holds: nothing, a number, or something else.
struct EnvironmentNumber {
  bool set = false;  ///< and not empty
  bool valid = false;
  int value = 0;
};

/// A variable as an integer of at least `least`; what exceeds `most` counts as that.
EnvironmentNumber environment_number(const char* name, int least, int most) noexcept;

/// Throws the std::invalid_argument about a variable that is not valid.
[[noreturn]] void reject_environment(const char* name, int least);

}  // namespace dwsep::runtime
