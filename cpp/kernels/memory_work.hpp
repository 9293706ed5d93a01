// Work on memory itself, and loops that measure a machine.
#pragma once

#include <cstdint>

namespace dwsep {

/// y = x, past the caches: nobody reads y soon.
struct NontemporalCopyWork {
  const float* x;
  std::int64_t count;
  float* y;
};

/// Multiply-adds in registers alone: the peak.
struct FmaChainWork {
  std::int64_t iterations;
  float* sink;
  std::int64_t* flops;  ///< gets how many operations that was
};

/// Counts of the two below are multiples of this: each instruction set moves so many floats, or a part of them, in one round.
constexpr std::int64_t kStreamFloats = 128;

struct ReadStreamWork {
  const float* x;
  std::int64_t count;
  float* sink;
};

struct CopyStreamWork {
  const float* x;
  std::int64_t count;
  float* y;
};

}  // namespace dwsep
