// Offsets of values in one arena, so that values alive at the same time do not overlap.
#pragma once

#include <cstdint>
#include <vector>

namespace dwsep::runtime {

/// A block of memory in use from step `begin` through step `end`, inclusive.
struct Lifetime {
  std::int64_t bytes;
  int begin, end;
  std::int64_t offset = 0;  ///< the result
};

/// Sets all offsets and returns the size of the arena in bytes. The largest come first, each to the lowest free place.
std::int64_t place_in_arena(std::vector<Lifetime>& lifetimes);

}  // namespace dwsep::runtime
