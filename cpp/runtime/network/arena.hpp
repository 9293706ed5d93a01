// Where values lie in one piece of memory, so that values needed at the same time do not overlap.
#pragma once

#include <cstdint>
#include <vector>

namespace dwsep::runtime {

/// A need for memory from step `begin` through step `end`, both included.
struct Lifetime {
  std::int64_t bytes;
  int begin, end;
  std::int64_t offset = 0;  ///< the result
};

/// Sets all offsets and returns the size of the arena in bytes. The largest come first, each to the lowest free place.
std::int64_t place_in_arena(std::vector<Lifetime>& lifetimes);

}  // namespace dwsep::runtime
