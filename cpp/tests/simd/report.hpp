// What the units of this folder, one for each instruction set, have from the program that runs them.
#pragma once

#include <cstddef>

namespace dwsep::simd_tests {

/// Counts a failure and prints the first of each unit.
void failed(const char* operation, const char* type, std::size_t at);

/// The end of readable memory, of which kGuardedBytes lie before it: what touches a byte behind it ends the program.
extern char* guarded_end;
constexpr std::size_t kGuardedBytes = 4096;

}  // namespace dwsep::simd_tests
